// A client of one TURN allocation over UDP, TCP or TLS (RFC 8656), sans I/O.
#pragma once

#include "base/log.hpp"
#include "base/packet.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "stun/retransmission.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace asiortc::turn {

enum class address_family : std::uint8_t { ipv4, ipv6 };

struct settings {
  base::route server;     ///< the local socket or stream, and the server's address
  bool reliable = false;  ///< over TCP or TLS: nothing is sent again, ChannelData is padded
  std::string username;
  std::string password;
  address_family family = address_family::ipv4;  ///< of the relayed address
  // Shorter than RFC 8489's 39.5 s, which are the time for all: a request that found no answer in
  // 9.5 s goes anew, so that the next packet is never 16 s away.
  stun::retransmission_settings retransmission{std::chrono::milliseconds(500), 5, 4};
  base::duration give_up_after = std::chrono::milliseconds(39500);  ///< without an allocation
  base::duration permission_refresh = std::chrono::minutes(4);      // they live 5 minutes (9)
  base::duration channel_refresh = std::chrono::minutes(9);         // they live 10 minutes (12)
  base::duration farewell = std::chrono::milliseconds(500);  ///< for the answer to giving it back
  base::logger log;
};

// Events.
struct allocated {
  base::endpoint relayed;
  base::endpoint mapped;  ///< where the server saw us: a server-reflexive address over UDP
  base::duration lifetime{};
};
/// No allocation. 437: a client on another local port may get one. 300: `alternate` may give one;
/// whoever follows it bounds how often.
struct failed {
  base::failure why;
  std::uint16_t code = 0;  ///< 0: not the server's own refusal
  std::optional<base::endpoint> alternate;
};
/// The allocation that was there is gone.
struct ended {
  base::failure why;
  std::uint16_t code = 0;
};
/// The server relays nothing to this peer's address; others are not concerned.
struct peer_refused {
  base::endpoint peer;
  base::failure why;
  std::uint16_t code = 0;
};
using event = std::variant<allocated, failed, ended, peer_refused>;

/// `closing`: the allocation is given back, which the server has not answered.
enum class state : std::uint8_t { new_, allocating, allocated, failed, ended, closing, closed };

/// What a datagram was.
struct outcome {
  /// False if it is not TURN's: a STUN server on the same address may have answered ICE.
  bool taken = false;
  /// What a peer sent; `payload` lies within the datagram.
  struct relayed_datagram {
    base::endpoint peer;
    base::mutable_byte_span payload;
  };
  std::optional<relayed_datagram> relayed;
};

class client {
 public:
  client(settings settings, base::random_source& random);
  ~client();
  client(client&&) noexcept;
  client& operator=(client&&) noexcept;

  void start(base::time_point now);

  /// A datagram from the server's address, or one packet of its stream.
  outcome handle_datagram(base::time_point now, const base::datagram& datagram);

  /// Wraps a packet for the peer into `out`, with the route set. The first packet to an address
  /// asks for a permission and waits for it; a packet of class `data` also asks for a channel.
  /// False if it is dropped because there is no allocation, the server refused the peer, or a bound
  /// is met.
  bool send(base::time_point now, const base::endpoint& peer, base::byte_span payload,
            base::traffic_class kind, base::packet_batch& out);

  /// Asks for a permission ahead of the first packet, for a candidate that will be checked.
  void permit(base::time_point now, const base::endpoint& peer);
  /// Asks for a channel: 4 bytes around a packet instead of 36 or 48.
  void bind_channel(base::time_point now, const base::endpoint& peer);
  [[nodiscard]] bool has_channel(const base::endpoint& peer) const;
  /// How many bytes `send` puts around a packet at most.
  [[nodiscard]] std::size_t overhead(const base::endpoint& peer) const;

  /// Waits no longer than until then for an allocation.
  void give_up_by(base::time_point when);

  void handle_timeout(base::time_point now);
  [[nodiscard]] base::time_point next_deadline() const;
  void poll_transmit(base::packet_batch& out);
  std::optional<event> poll_event();

  /// Gives the allocation back. No event follows; it is `closed` when the server has answered, or
  /// has not in time, and at once where there is nothing to give back.
  void close(base::time_point now);

  [[nodiscard]] state current_state() const;
  /// Whether nothing has come for ten seconds, although packets were sent and the server was asked.
  [[nodiscard]] bool is_silent(base::time_point now) const;
  /// Datagrams that were malformed, unauthentic, unasked for or from elsewhere.
  [[nodiscard]] std::uint64_t dropped_datagrams() const;
  /// Packets that `send` did not take, or that waited for a permission in vain.
  [[nodiscard]] std::uint64_t dropped_packets() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace asiortc::turn
