// Answers for the names that hide addresses of this machine (RFC 6762,
// draft-ietf-mmusic-mdns-ice-candidates 3.1), sans I/O.
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "mdns/message.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace asiortc::mdns {

/// A version 4 UUID (RFC 9562 5.4) under `.local`: nobody else has it, and nobody can guess it.
std::string make_random_name(base::random_source& random);

/// A message to be sent.
struct response {
  base::bytes bytes;
  unsigned interface = 0;            ///< index of the one to send on; 0 for all
  std::optional<base::endpoint> to;  ///< none: the group
};

class responder {
 public:
  // RFC 6762 6: "MUST NOT … multicast a record on a given interface until at least one second has
  // elapsed since the last time that record was multicast on that particular interface".
  static constexpr base::duration multicast_gap = std::chrono::seconds(1);
  // Answers to single hosts have no such rule, so a flood of questions is met by this bound.
  static constexpr std::size_t max_unicasts = 8;  // of one name in each second

  explicit responder(base::logger log = {}) : log_(log.named("mdns")) {}

  /// From now on the name is answered for, on the interface of that index, or on all for 0
  /// (RFC 6762 6.2 wants no address to be told on a link where it is not valid).
  void add(std::string name, const base::ip_address& address, unsigned interface);
  /// Says goodbye, where somebody may remember the name.
  void remove(base::time_point now, std::string_view name);

  /// A datagram that came by multicast over that interface; `on_link` says whether its source is
  /// of a network there. Anything but a question for one of our names is ignored.
  void handle_datagram(base::time_point now, base::byte_span data, const base::endpoint& from,
                       unsigned interface, bool on_link);
  void handle_timeout(base::time_point now);
  [[nodiscard]] base::time_point next_deadline() const;
  std::optional<response> poll_transmit();

  /// There is no name, and nothing waits to be fetched.
  [[nodiscard]] bool idle() const { return names_.empty() && transmits_.empty(); }

 private:
  struct entry {
    base::ip_address address;
    unsigned interface = 0;
    std::optional<base::time_point> multicast_at;  ///< the last time
    base::time_point due = base::never;            ///< of an answer that has to wait for the gap
    base::time_point unicast_second{};             ///< when the second of `unicasts` began
    std::size_t unicasts = 0;
  };
  using name_map = std::map<std::string, entry, std::less<>>;

  void answer(base::time_point now, name_map::value_type& own, const message& query,
              const question& asked, const base::endpoint& from, bool on_link);
  void multicast(base::time_point now, name_map::value_type& own);
  void unicast(base::time_point now, entry& of, const message& reply, const base::endpoint& to);

  base::logger log_;
  name_map names_;
  std::deque<response> transmits_;
};

}  // namespace asiortc::mdns
