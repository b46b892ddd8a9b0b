// Resolves `.local` names to addresses by multicast DNS (RFC 6762), sans I/O.
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/log.hpp"
#include "base/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asiortc::mdns {

/// Names one wish to resolve; several may share a name, which is asked once.
enum class resolution_id : std::uint64_t {};

struct resolution {
  resolution_id id{};
  /// IPv6 first, in the order of the answer; empty when nobody answered in time.
  std::vector<base::ip_address> addresses;
};

class querier {
 public:
  static constexpr std::size_t max_names = 256;
  static constexpr std::size_t max_wishes = 1024;
  static constexpr std::size_t max_addresses = 8;  // of one name

  explicit querier(base::logger log = {}) : log_(log.named("mdns")) {}

  /// The answer comes as a `resolution`; at once, and empty, where the name is not one of
  /// multicast DNS or too many are being resolved.
  resolution_id resolve(base::time_point now, std::string_view name);
  /// No resolution follows; unknown ids are ignored.
  void cancel(resolution_id id);

  /// A datagram that came to the socket, by multicast or by unicast. Anything that does not
  /// answer a pending question is ignored.
  void handle_datagram(base::time_point now, base::byte_span data, const base::endpoint& from);
  void handle_timeout(base::time_point now);
  [[nodiscard]] base::time_point next_deadline() const;
  /// A query, to be sent to the group on every interface.
  std::optional<base::bytes> poll_transmit();
  std::optional<resolution> poll_event();

  /// Nothing is being resolved and nothing waits to be fetched.
  [[nodiscard]] bool idle() const;

 private:
  struct pending_name {
    base::time_point started;
    base::time_point next;
    std::size_t queries_sent = 0;
    std::vector<resolution_id> wishes;
  };
  using name_map = std::map<std::string, pending_name, std::less<>>;

  void ask(const std::string& name, pending_name& pending);
  name_map::iterator finish(name_map::iterator it, std::vector<base::ip_address> addresses);

  base::logger log_;
  name_map names_;
  std::deque<base::bytes> transmits_;
  std::deque<resolution> events_;
  std::uint64_t last_id_ = 0;
  std::size_t wish_count_ = 0;
};

}  // namespace asiortc::mdns
