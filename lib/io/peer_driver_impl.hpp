// What the driver's source files share.
#pragma once

#include "io/connect_plan.hpp"
#include "io/guarded_strand.hpp"
#include "io/mux_link.hpp"
#include "io/peer_driver.hpp"
#include "io/shared_resources.hpp"
#include "io/tcp_socket.hpp"
#include "io/ticking_engine.hpp"
#include "io/turn_stream.hpp"
#include "io/udp_socket.hpp"

#include <asiortc/detail/context_listener.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace asiortc::io {

/// Posts one pump to the strand, however often it is called before that runs. From any thread, also
/// when driver and context are gone.
class waker {
 public:
  void set_owner(std::weak_ptr<peer_driver::impl> owner) { owner_ = std::move(owner); }
  void wake();
  void rearm() { posted_ = false; }

 private:
  std::weak_ptr<peer_driver::impl> owner_;
  std::atomic<bool> posted_ = false;
};

/// Handlers that wait on sockets and the timer hold this; each is counted in `pending`.
struct peer_driver::impl final : public detail::context_listener {
  impl(const boost::asio::any_io_executor& executor, peer::settings settings, driver_options given);
  ~impl() override;
  /// What the constructor cannot do yet, since nobody owns the object in it.
  void start(const boost::asio::any_io_executor& executor);
  void on_context_shutdown() noexcept override;
  std::shared_ptr<impl> self() { return std::static_pointer_cast<impl>(shared_from_this()); }

  // The pump (peer_driver.cpp).
  void pump();
  void transmit(turn_memory& memory);
  void deliver();
  void handle(peer::event&& event);
  void handle_wake();
  [[nodiscard]] base::time_point next_deadline() const;
  void arm_timer();
  void handle_timer();

  // Sockets (driver_sockets.cpp).
  void open_socket(const base::ip_address& address, std::uint16_t preference);
  /// Where that is wanted, what is told of a socket is the name that hides its address.
  void hide(ice::local_socket& told, const base::ip_address& local);
  /// Bound, and read from on; none where that fails, which is logged.
  std::shared_ptr<udp_socket> bind_socket(const base::ip_address& address);
  void receive_from(const std::shared_ptr<udp_socket>& socket);
  void handle_readable(const std::shared_ptr<udp_socket>& socket);
  void await_writable(const std::shared_ptr<udp_socket>& socket);
  void send(turn_memory& memory);
  void report_failures(std::vector<base::route>& failed);
  /// What has arrived, to the core.
  void take_in(base::time_point now, std::span<const base::datagram> datagrams);
  [[nodiscard]] bool blocked() const { return blocked_sockets > 0 || (mux && mux->blocked()); }

  // A mux instead of sockets (driver_mux.cpp).
  void handle_mux();
  void follow_mux();
  void ask_beside_mux(const turn_server& server, const std::vector<base::endpoint>& addresses);
  void move_carriers_of_mux();

  // Addresses that come and go (driver_interfaces.cpp).
  void open_missing_sockets(const system_addresses& there);
  void watch_interfaces();
  void handle_interface_change(const interface_watch::snapshot& there);
  void lose_socket(const std::shared_ptr<udp_socket>& socket);

  // Streams to TURN servers (driver_streams.cpp).
  using error_code = boost::system::error_code;
  void add_server(const turn_server& server, const std::vector<base::ip_address>& addresses);
  [[nodiscard]] bool has_stream_to(const turn_server& server) const;
  void ask_for_relay(const turn_server& server, const std::vector<base::endpoint>& addresses);
  void ask_for_other_family(const turn_server& server,
                            const std::vector<base::endpoint>& addresses);
  [[nodiscard]] std::vector<base::ip_address> local_addresses() const;
  [[nodiscard]] bool may_open_socket() const;
  void open_carrier(const turn_server& server, const std::vector<base::endpoint>& addresses,
                    const local_address& local, turn::address_family family);
  [[nodiscard]] std::optional<base::ip_address> find_stream_source(
      const base::endpoint& server) const;
  /// An allocation that is wanted over a stream: while that is opened, stands, or is tried again.
  struct wanted_stream {
    turn_server server;
    turn::address_family family;
    connect_plan plan;
    std::uint32_t generation = 0;  ///< of the gathering that wanted it last
    bool awaited = true;           ///< gathering waits for it
    /// Of the next try, in a pause; with a stream, when the server's next address is tried.
    base::time_point due = base::never;
    std::shared_ptr<turn_stream> stream;  ///< none in a pause
    bool is_open = false;                 ///< it is connected
  };
  void open_stream(const turn_server& server, std::vector<base::endpoint> addresses,
                   turn::address_family family);
  void try_stream(const std::shared_ptr<wanted_stream>& wanted);
  void ask_over(const std::shared_ptr<wanted_stream>& wanted);
  [[nodiscard]] base::duration share_of_patience(const wanted_stream& wanted) const;
  void fail_stream(const std::shared_ptr<wanted_stream>& wanted, const std::string& why);
  void stop_awaiting(wanted_stream& wanted);
  [[nodiscard]] base::time_point next_stream_try() const;
  void try_streams(base::time_point now);
  void take_answer(const std::shared_ptr<wanted_stream>& wanted);
  void receive_from(const std::shared_ptr<wanted_stream>& wanted,
                    const std::shared_ptr<turn_stream>& stream);
  void close_stream(wanted_stream& wanted, const std::string& why);
  void lose_stream(const std::shared_ptr<wanted_stream>& wanted, const std::string& why);
  void send_over_stream(const turn_memory& memory, std::size_t first, std::size_t last);
  void flush(const std::shared_ptr<turn_stream>& stream);

  // ICE-TCP (driver_tcp.cpp).
  static bool is_tcp(base::socket_id id);
  void open_missing_ends(const std::vector<local_address>& chosen);
  void open_ends(const local_address& local);
  void lose_ends(const std::vector<system_address>& addresses);
  void accept_at(const std::shared_ptr<tcp_end>& end);
  void handle_acceptable(const std::shared_ptr<tcp_end>& end);
  void admit(const base::route& from, unique_fd fd);
  std::shared_ptr<tcp_connection> find_connection(const base::route& to);
  std::shared_ptr<tcp_connection> connect(const base::route& to);
  void receive_from(const std::shared_ptr<tcp_connection>& connection);
  void handle_readable(const std::shared_ptr<tcp_connection>& connection);
  bool take_packets(tcp_connection& connection);
  void send_over_tcp(turn_memory& memory, std::size_t first, std::size_t last);
  void flush(const std::shared_ptr<tcp_connection>& connection);
  void lose_connection(std::shared_ptr<tcp_connection> connection, const std::string& why);
  void sweep_later();
  void sweep();

  // Gathering and look-ups (driver_lookups.cpp).
  using resolved = std::function<void(impl&, const std::vector<base::ip_address>&)>;
  static constexpr const char* no_address = "the name has no address";
  void gather(std::uint32_t generation);
  void take_next_servers();
  template <class Server>
  void ask_server(const Server& server);
  void ask_missing_servers();
  void ask_missing_servers_since(std::uint64_t occasion);
  void add_server(const stun_server& server, const std::vector<base::ip_address>& addresses);
  static std::vector<base::endpoint> choose_addresses(
      const std::vector<base::ip_address>& addresses, bool v6, std::uint16_t port);
  void finish_gathering_if_done();
  void look_up(const std::string& name, resolved done);
  void cancel_lookups();

  // The end (peer_driver.cpp).
  void stop(std::function<void()> on_stopped);
  void halt();
  void close_all() noexcept;
  /// Called first in each counted handler: false when the driver is stopping.
  bool resume();

  driver_options options;
  std::optional<driver_options> next_options;  ///< whose servers the next gathering asks
  guarded_strand strand;
  std::shared_ptr<shared_resources> resources;
  ticking_engine engine;
  std::shared_ptr<waker> alarm = std::make_shared<waker>();
  std::shared_ptr<mux_link> mux;  ///< before the core, which knows it
  std::optional<peer::peer> core;
  peer_observer* observer = nullptr;

  /// Open at once. Each gathering may find new addresses; ids of sockets are never used again.
  static constexpr std::ptrdiff_t max_sockets = 64;
  std::vector<std::shared_ptr<udp_socket>> sockets;  // socket_id n is at n - 1
  std::size_t blocked_sockets = 0;
  std::map<base::ip_address, mdns_service::held_name> hidden;
  std::uint64_t watch_token = 0;        ///< of the interface watch, once there was a gathering
  interface_watch::snapshot last_told;  ///< by the watch; none after a look of one's own
  std::vector<std::shared_ptr<wanted_stream>> streams;
  std::uint32_t last_stream = 0;
  std::vector<std::shared_ptr<tcp_end>> tcp_ends;
  std::uint32_t last_end = 0;
  std::vector<std::shared_ptr<tcp_connection>> connections;
  std::optional<boost::asio::steady_timer> sweep_timer;
  bool sweeping = false;
  /// One that serves nothing but an allocation of a TURN server.
  struct carrier_socket {
    std::string url;
    turn::address_family family;
    std::shared_ptr<udp_socket> socket;
  };
  std::vector<carrier_socket> carrier_sockets;
  /// Of a peer of a mux; to be asked from addresses that come, too.
  std::vector<std::pair<turn_server, std::vector<base::endpoint>>> asked_beside_mux;
  std::optional<boost::asio::steady_timer> timer;
  base::time_point armed = base::never;

  bool pumping = false;
  bool pump_again = false;
  bool leaving = false;   ///< what is left to do is the core's farewell
  bool stopping = false;  ///< nothing is
  std::size_t pending = 0;
  std::function<void()> on_stopped;

  struct pending_lookup {
    resolved done;
    base::time_point deadline = base::never;
    std::uint64_t mdns_token = 0;  ///< 0 for one of the resolver
    std::shared_ptr<boost::asio::cancellation_signal> cancel;
  };
  void start_mdns(std::uint64_t key, const std::string& name);
  void start_dns(std::uint64_t key, const std::string& name);
  [[nodiscard]] base::time_point next_lookup_deadline() const;
  void give_up_lookups(base::time_point now);
  void cancel(const pending_lookup& lookup);
  void finish_lookup(std::uint64_t key, const std::vector<base::ip_address>& found);
  std::map<std::uint64_t, pending_lookup> lookups;
  std::uint64_t last_lookup = 0;
  std::uint32_t generation = 0;
  std::size_t servers_pending = 0;
  std::uint64_t occasions = 0;       ///< to ask servers: gatherings, and changes of the network
  std::set<std::string> looked_up;   ///< URLs of servers whose names are being looked up
  std::set<std::string> unresolved;  ///< and of those whose names had no address
};

inline turn::address_family family_of(const base::ip_address& address) {
  return address.is_v4() ? turn::address_family::ipv4 : turn::address_family::ipv6;
}

}  // namespace asiortc::io
