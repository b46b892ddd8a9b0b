// A TURN server of one user (RFC 8656), sans I/O: real enough for clients to live on, and able to
// refuse whatever a test wants.
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "base/time.hpp"
#include "stun/message_builder.hpp"
#include "stun/message_view.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace asiortc::test {

struct turn_server_settings {
  base::ip_address relay_v4 = *base::ip_address::parse("198.51.100.1");
  base::ip_address relay_v6 = *base::ip_address::parse("2001:db8:51::1");
  std::string realm = "example.org";
  std::string username = "user";
  std::string password = "secret";
  bool authenticate = true;
  bool sign_errors = true;
  std::vector<std::uint16_t> algorithms;  ///< PASSWORD-ALGORITHMS; 1 is MD5, 2 is SHA-256
  bool anonymous = false;                 ///< wants USERHASH
  base::duration nonce_lifetime = std::chrono::hours(1);
  base::duration lifetime = std::chrono::seconds(600);
  base::duration permission_lifetime = std::chrono::seconds(300);
  base::duration channel_lifetime = std::chrono::seconds(600);
  std::optional<base::endpoint> alternate;  ///< told with a 300
};

class turn_server {
 public:
  explicit turn_server(turn_server_settings settings) : settings_(std::move(settings)) {}

  std::function<void(const base::endpoint& client, base::byte_span)> to_client;
  std::function<void(const base::endpoint& relayed, const base::endpoint& peer, base::byte_span)>
      to_peer;
  /// An error code to answer an authentic request with, in place of doing what it asks for.
  std::function<std::optional<std::uint16_t>(const stun::message_view&)> refuse;

  void handle_client(base::time_point now, const base::endpoint& from, base::byte_span bytes);
  /// A packet that somebody sent to a relayed address.
  void handle_peer(base::time_point now, const base::endpoint& relayed, const base::endpoint& from,
                   base::byte_span bytes);
  /// Has it all forgotten, as a restart has.
  void restart();
  void expire_nonce() { ++nonce_number_; }
  [[nodiscard]] turn_server_settings& settings() { return settings_; }

  [[nodiscard]] std::size_t allocations(base::time_point now);
  /// Requests that were done, by method.
  [[nodiscard]] int done(stun::method method) const {
    const auto found = done_.find(method);
    return found == done_.end() ? 0 : found->second;
  }

 private:
  struct channel {
    base::endpoint peer;
    base::time_point expires_at;
  };
  struct allocation {
    base::endpoint relayed;
    stun::transaction_id made_by{};
    base::time_point expires_at;
    std::map<base::ip_address, base::time_point> permissions;
    std::map<std::uint16_t, channel> channels;
  };

  void handle_request(base::time_point now, const base::endpoint& from,
                      const stun::message_view& request);
  [[nodiscard]] std::uint16_t challenge_for(base::time_point now,
                                            const stun::message_view& request);
  std::uint16_t serve(base::time_point now, const base::endpoint& from,
                      const stun::message_view& request, stun::message_builder& answer);
  std::uint16_t allocate(base::time_point now, const base::endpoint& from,
                         const stun::message_view& request, stun::message_builder& answer);
  std::uint16_t bind(base::time_point now, allocation& where, const stun::message_view& request);
  void relay(base::time_point now, allocation& from, const base::endpoint& peer,
             base::byte_span payload);
  void send_error(const base::endpoint& to, const stun::message_view& request, std::uint16_t code);
  void sign(stun::message_builder& answer) const;
  [[nodiscard]] base::bytes key() const;
  [[nodiscard]] base::bytes algorithm_list() const;
  [[nodiscard]] std::string nonce(base::time_point now);
  allocation* find(base::time_point now, const base::endpoint& client);

  turn_server_settings settings_;
  std::map<base::endpoint, allocation> allocations_;
  std::map<stun::method, int> done_;
  std::uint16_t chosen_algorithm_ = 0;
  std::uint16_t next_port_ = 49152;
  int nonce_number_ = 0;
  base::time_point nonce_since_;
};

}  // namespace asiortc::test
