// Two whole peers, a network and a signaling channel between them, in virtual time.
#pragma once

#include "peer/peer.hpp"
#include "support/seeded_random.hpp"
#include "support/virtual_clock.hpp"
#include "support/virtual_network.hpp"

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace asiortc::test {

struct received_message {
  datachannel::channel_key channel{};
  message value;
};

/// One peer on one host with one socket, and what it told.
class virtual_peer {
 public:
  virtual_peer(std::uint64_t seed, const base::endpoint& address);

  [[nodiscard]] peer::peer& core() { return *core_; }
  [[nodiscard]] const base::endpoint& address() const { return address_; }

  datachannel::channel_key create_channel(std::string label, data_channel_init init = {});
  void send(datachannel::channel_key channel, message value);
  [[nodiscard]] bool is_open(datachannel::channel_key channel);
  [[nodiscard]] bool has_state(connection_state state);

  // What happened, for tests to look at.
  std::vector<peer::connection_state_event> connection_states;
  std::vector<signaling_state> signaling_states;
  std::vector<datachannel::channel_key> opened_by_peer;
  std::map<datachannel::channel_key, base::failure> closed_channels;
  std::vector<received_message> received;
  std::vector<candidate_pair> selected_pairs;
  std::size_t received_bytes = 0;
  bool negotiation_needed = false;
  /// The host's address is told under this name instead.
  std::optional<std::string> hidden_behind;
  /// Answers look-ups; none: what is not answered stays open.
  std::function<std::vector<base::ip_address>(const std::string&)> resolve;
  /// Opens what the host has, instead of its one socket.
  std::function<void(std::uint32_t generation)> gather;
  /// Whether messages are consumed as they come.
  bool reads = true;

 private:
  friend class virtual_pair;

  /// What came of the core since the last call.
  std::vector<ice_candidate> take_events();
  void handle(datachannel::event& event);
  std::optional<ice_candidate> handle(peer::event& event);

  seeded_random random_;
  base::endpoint address_;
  std::atomic<bool> woken_ = false;
  std::unique_ptr<peer::peer> core_;
  bool has_socket_ = false;
};

/// What may carry packets in place of the pair's network.
class virtual_wire {
 public:
  virtual ~virtual_wire() = default;
  virtual void send(virtual_peer& from, const base::route& to, base::byte_span packet) = 0;
  [[nodiscard]] virtual base::time_point next_event() const = 0;
  /// Gives the peers what has arrived by then.
  virtual void advance(base::time_point then) = 0;
};

struct pair_options {
  std::uint64_t seed = 1;
  network_conditions network;
  base::duration signaling_delay = std::chrono::milliseconds(30);
};

/// The first peer is the impolite one. Each answers `negotiation_needed` with an offer.
class virtual_pair {
 public:
  explicit virtual_pair(const pair_options& options);

  virtual_peer a;
  virtual_peer b;
  virtual_network network;
  virtual_wire* wire = nullptr;
  /// May change what is signalled; false drops it.
  std::function<bool(const virtual_peer& from, session_description&)> description_filter;
  std::function<bool(const virtual_peer& from, ice_candidate&)> candidate_filter;
  base::duration signaling_delay;

  [[nodiscard]] base::time_point now() const { return clock_.now(); }
  /// Lets things happen until the condition holds; false when it does not within the time.
  bool run_until(const std::function<bool()>& condition, base::duration limit);
  /// Lets so much time pass.
  void run_for(base::duration time);
  /// Both connected within the time.
  bool connect(base::duration limit = std::chrono::seconds(30));

 private:
  struct signal {
    base::time_point due;
    virtual_peer* to = nullptr;
    std::variant<session_description, ice_candidate> content;
  };

  void pump();
  void pump(virtual_peer& peer, virtual_peer& other);
  void transmit(virtual_peer& peer);
  void offer(virtual_peer& peer, virtual_peer& other);
  void send_local_description(virtual_peer& peer, virtual_peer& other);
  void deliver_signals();
  void handle_description(virtual_peer& to, const session_description& description);
  void deliver_packets();
  [[nodiscard]] base::time_point next_event();
  void step_to(base::time_point then);

  virtual_clock& clock_ = virtual_clock::instance();
  std::deque<signal> signals_;
  base::time_point next_tick_;
  base::packet_batch batch_;
  bool a_ignores_offer_ = false;  ///< it collided with one of its own
};

/// A message of that size whose bytes follow from the seed.
message make_message(std::size_t size, std::uint64_t seed, bool text = false);

}  // namespace asiortc::test
