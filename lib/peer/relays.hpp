// The TURN allocations of one transport. To ICE each is a local socket with an id of its own; here
// packets are wrapped for the server on their way out and unwrapped on their way in.
#pragma once

#include "base/log.hpp"
#include "base/packet.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "ice/agent.hpp"
#include "turn/client.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace asiortc::peer {

/// A TURN server with its name resolved.
struct turn_server {
  base::endpoint address;
  std::string username;
  std::string password;
  std::string name;  ///< as it was configured, for messages
  std::vector<base::endpoint>
      further;  ///< to be asked where the address fails, one after the other
};

/// A TURN server gave no address.
struct server_refused {
  std::string name;  ///< as it was configured
  base::socket_id asked_from = base::socket_id::none;
  std::uint16_t code = 0;  ///< of its answer; 0: there was none
  base::failure why;
};

/// What an allocation is asked for over: a local socket, or a stream to the server.
struct turn_carrier {
  base::socket_id id = base::socket_id::none;
  bool reliable = false;         ///< a stream
  std::uint16_t preference = 0;  ///< of the relayed address; larger is better
  turn::address_family family = turn::address_family::ipv4;  ///< of the relayed address
  bool secure = false;                                       ///< a stream over TLS
};

struct turn_times {
  base::duration rto = std::chrono::milliseconds(500);  // RFC 8489 6.2.1
  base::duration give_up_after =
      std::chrono::milliseconds(39500);  // RFC 8489 6.2.1, of one request
};

/// What a server is to one local socket or stream. `silent`: it has given an address, and does not
/// answer any more.
enum class relay_state : std::uint8_t { none, asked, stands, silent };

class relays {
 public:
  relays(base::random_source& random, const turn_times& times, base::logger log)
      : random_(&random), times_(times), log_(log) {}

  /// Whether packets of the id go through a server.
  static bool is_relayed(base::socket_id id) {
    return (static_cast<std::uint32_t>(id) & relayed_bit) != 0;
  }

  /// The servers are asked anew: what comes of that explains more than what came before.
  void begin_gathering();
  /// Those of servers that are not named are not told from the next ICE restart on, and given back
  /// when no pair of before is left.
  void keep_servers(base::time_point now, const std::vector<std::string>& names, ice::agent& agent);

  [[nodiscard]] bool empty() const { return relays_.empty() && leaving_.empty(); }

  /// Asks the server for an address. Gathering waits for the answer. Nothing happens when this is
  /// done already and the server answers, or for the 33rd time.
  void allocate(base::time_point now, const turn_carrier& over, const turn_server& server,
                ice::agent& agent);
  /// The socket or stream is gone, and with it what was allocated over it.
  void remove_carrier(base::time_point now, base::socket_id over, const base::failure& why,
                      ice::agent& agent);

  /// False if the datagram is not from a server, or not TURN's. Else `inner` is set if it carried
  /// a packet of a peer.
  bool handle_datagram(base::time_point now, const base::datagram& datagram,
                       std::optional<base::datagram>& inner);
  /// Wraps a packet whose route is relayed.
  void send(base::time_point now, const base::route& to, base::byte_span packet,
            base::traffic_class kind, base::packet_batch& out);

  /// Nobody listens there. Where the server has another address, that is asked at once; else the
  /// server may come back while it is asked.
  void handle_send_error(base::time_point now, const base::route& route, ice::agent& agent);
  void handle_timeout(base::time_point now);
  [[nodiscard]] base::time_point next_deadline() const;
  /// Tells the agent what came of the allocations.
  void update(base::time_point now, ice::agent& agent);
  void poll_transmit(base::packet_batch& out);
  /// Gives the allocations back, and is empty once that is answered, or has not been in time.
  void close(base::time_point now);

  /// A server that has fallen silent, or else what explains best why there is no allocation.
  [[nodiscard]] std::optional<base::failure> trouble(base::time_point now) const;
  /// What became of what was asked for over the socket or stream.
  [[nodiscard]] relay_state state_over(base::time_point now, base::socket_id carrier) const;
  /// Whether there is an address whose server has not fallen silent.
  [[nodiscard]] bool any_works(base::time_point now) const;
  /// A server could not even be asked, which is kept until it is polled.
  void note_failure(const std::string& server, const base::failure& why);
  std::optional<server_refused> poll_refusal();

 private:
  static constexpr std::uint32_t relayed_bit = 0x8000'0000;

  struct relay {
    base::socket_id id;
    base::route server;
    turn_server configured;
    turn_carrier carrier;
    bool holds_gathering;
    bool retired;
    int redirections;
    base::duration patience;   ///< with this address and the further ones
    turn::failed refused;      ///< what another address of the server answered
    base::time_point started;  ///< with this address
    turn::client client;
  };

  /// What explains a failure better comes later: an answer more than silence elsewhere, and the
  /// loss of what worked more than what never did.
  enum class weight : std::uint8_t { silence, refusal, loss };
  struct explanation {
    base::failure why;
    weight counts = weight::silence;
  };

  [[nodiscard]] relay* find(base::socket_id id);
  [[nodiscard]] relay* find(const base::route& server);
  [[nodiscard]] relay* find(base::socket_id over, const turn_server& server);
  void start(base::time_point now, relay made, ice::agent& agent);
  void drop(base::time_point now, const relay& which, ice::agent& agent);
  [[nodiscard]] base::duration wait_of(const turn_server& configured,
                                       base::duration patience) const;
  bool ask_next(relay& which, const turn::failed& refused);
  void handle(base::time_point now, relay& which, turn::event& news, ice::agent& agent);
  void add_address(base::time_point now, relay& which, const turn::allocated& given,
                   ice::agent& agent);
  [[nodiscard]] static std::string name_of(const relay& which);
  static std::optional<turn::failed> last_words(relay& which);
  void note_failure(const relay& which, const base::failure& why, std::uint16_t code = 0);
  void tell(const std::string& server, base::socket_id asked_from, const base::failure& why,
            std::uint16_t code);
  void explain(const relay& which, const base::failure& why, weight counts);
  void explain(base::failure why, weight counts);
  void hurry_those_without_way();
  [[nodiscard]] static bool is_on_the_chance(const relay& which);
  [[nodiscard]] bool works_elsewhere(const relay& which) const;
  void release_gathering(base::time_point now, relay& which, ice::agent& agent);
  void drop_finished();
  void leave(base::time_point now, relay& which);
  void drop_retired(base::time_point now, ice::agent& agent);
  [[nodiscard]] relay make_relay(const base::endpoint& address, const turn_server& configured,
                                 const turn_carrier& carrier, int redirections,
                                 base::duration patience) const;

  base::random_source* random_;
  turn_times times_;
  base::logger log_;
  std::vector<relay> relays_;
  /// What is asked instead of another, once no list is being walked.
  std::vector<relay> instead_;
  /// Allocations that are given back.
  std::vector<relay> leaving_;
  std::uint32_t last_id_ = 0;
  std::optional<explanation> explanation_;
  std::deque<server_refused> refusals_;
};

}  // namespace asiortc::peer
