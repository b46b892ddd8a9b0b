// A client and a server joined by a wire that a test may cut, in virtual time.
#pragma once

#include "base/packet.hpp"
#include "crypto/identity.hpp"
#include "dtls/endpoint.hpp"
#include "unit/dtls/virtual_time.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asiortc::test {

/// One identity a key type, made once: RSA keys are slow to make.
std::shared_ptr<const crypto::identity> shared_identity(
    crypto::key_type type = crypto::key_type::ecdsa_p256);

/// An identity that is nobody else's.
std::shared_ptr<const crypto::identity> fresh_identity();

/// Settings for `own` against a peer of identity `remote`.
dtls::settings settings_for(std::shared_ptr<const crypto::identity> own,
                            const crypto::identity& remote);

/// An endpoint and everything that came out of it.
struct side {
  std::unique_ptr<dtls::endpoint> dtls;
  std::vector<std::string> received;
  std::vector<dtls::state_changed> events;

  void deliver(base::byte_span datagram);
  void take_events();
  [[nodiscard]] std::vector<base::bytes> poll();
  /// Seals one record; empty when refused.
  [[nodiscard]] base::bytes seal(std::string_view plain);
  [[nodiscard]] dtls::state state() const { return dtls->current_state(); }
  [[nodiscard]] boost::system::error_code reason() const {
    return events.empty() ? boost::system::error_code{} : events.back().reason.code;
  }
};

struct packet {
  bool from_client = false;
  std::size_t ordinal = 0;  // from 0, over both directions
  base::bytes bytes;
};

using arrivals = std::vector<base::bytes>;
inline arrivals lost() { return {}; }
inline arrivals once(const packet& sent) { return arrivals(1, sent.bytes); }
inline arrivals twice(const packet& sent) { return arrivals(2, sent.bytes); }

class endpoint_pair {
 public:
  endpoint_pair(dtls::settings client_settings, dtls::settings server_settings);
  /// Two ECDSA identities that know each other.
  endpoint_pair();

  void start();
  /// Carries packets until none is left, without any time passing.
  void carry();
  /// Carries packets and lets time pass until both are connected or nothing more will happen.
  void run(base::duration limit = std::chrono::seconds(60));
  [[nodiscard]] bool connected() const;

  side client;
  side server;
  /// What arrives instead of a packet; by default the packet itself.
  std::function<arrivals(const packet&)> wire = once;
  /// Reverses what each side sends in one go.
  bool reversed = false;
  std::vector<packet> carried;

 private:
  bool carry_from(side& sender, side& receiver);
  void pass_time();
};

/// Starts the pair and carries everything but the server's last flight, which it returns.
base::bytes hold_last_flight(endpoint_pair& pair);

/// Both ways, one message each; true when both arrive.
bool exchanges_data(endpoint_pair& pair);

}  // namespace asiortc::test
