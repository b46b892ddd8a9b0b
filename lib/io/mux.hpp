// One port for many peers: sockets that belong to a strand of their own, and the table of whose a
// datagram is. Peers send on the descriptors directly and get what is theirs in one message a
// batch.
#pragma once

#include "base/log.hpp"
#include "base/result.hpp"
#include "ice/mux_table.hpp"
#include "io/guarded_strand.hpp"
#include "io/interfaces.hpp"
#include "io/shared_resources.hpp"
#include "io/udp_options.hpp"

#include <asiortc/detail/context_listener.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace asiortc::io {

class mux_link;

/// Set in the ids of a mux's sockets, which are apart from those of a peer's own, of streams to
/// TURN servers, of relays and of ICE-TCP.
inline constexpr std::uint32_t mux_bit = 0x1000'0000;

struct mux_options {
  std::uint16_t port = 0;                   ///< 0: the kernel chooses
  std::vector<base::ip_address> addresses;  ///< none: those of all interfaces, as they come and go
  io::interface_filter filter;              ///< of the interfaces' addresses
  base::logger log;
};

/// A socket of the mux as its peers have it.
struct mux_address {
  base::socket_id id = base::socket_id::none;
  base::endpoint bound;
  local_address local;
  /// The descriptor is closed with its last owner, so that no number is sent to that is another's.
  std::shared_ptr<const unique_fd> fd;
};

struct mux_statistics {
  ice::mux_counters dropped;
  std::uint64_t overflowed = 0;  ///< lost since a peer did not keep up
  std::size_t peers = 0;
  std::size_t routes = 0;
};

/// The table and the lists are under a leaf mutex, which is taken once for each batch that arrives,
/// and by peers for each STUN packet that they send and for the first other one to an address. The
/// sockets' readiness is awaited on the strand alone, and only while there are peers.
class mux final : public detail::context_listener {
 public:
  /// Binds all sockets. The failure names the address.
  static base::result<std::shared_ptr<mux>> open(const boost::asio::any_io_executor& executor,
                                                 mux_options options);
  ~mux() override;

  // Thread-safe, as all that follows.
  void close();
  [[nodiscard]] bool is_open() const;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::vector<mux_address> addresses() const;
  [[nodiscard]] mux_statistics statistics() const;

  // For links. A link is told of what arrives from its return from `join` on.
  ice::mux_peer join(const std::shared_ptr<mux_link>& link);
  void leave(ice::mux_peer peer);
  bool add_ufrag(ice::mux_peer peer, const std::string& ufrag);
  void remove_ufrag(ice::mux_peer peer, const std::string& ufrag);
  /// See `ice::mux_table`.
  bool note_sent(ice::mux_peer peer, const base::route& to, base::byte_span packet);
  /// Carries a packet that one of us sends to one of us. `from` is where it seems to arrive.
  void carry(ice::mux_peer sender, const base::route& from, base::byte_span packet);
  /// The link is woken when the socket is writable.
  void await_writable(base::socket_id socket, std::weak_ptr<mux_link> link);
  void note_overflow(std::size_t packets) { overflowed_ += packets; }

  /// Blocks of memory for what waits, so that an idle peer has none.
  [[nodiscard]] base::packet_batch borrow_block();
  void give_back(base::packet_batch block);

  void on_context_shutdown() noexcept override;

 private:
  struct bound_port;
  using port_ptr = std::shared_ptr<bound_port>;
  using link_ptr = std::shared_ptr<mux_link>;

  mux(const boost::asio::any_io_executor& executor, mux_options options);
  std::shared_ptr<mux> self();
  base::result<void> open_all();
  base::result<void> open_port(const local_address& local);
  [[nodiscard]] std::vector<local_address> select(const system_addresses& there) const;
  void close_ports() noexcept;
  void release(const port_ptr& port) noexcept;

  // On the strand.
  void update();
  [[nodiscard]] bool has_peers() const;
  void listen(const port_ptr& port);
  void receive(const port_ptr& port);
  void sort_out(std::span<const base::datagram> datagrams);
  void report_errors(std::vector<base::route>& failed);
  void watch_writable(const port_ptr& port);
  void follow_interfaces(const system_addresses& there);

  [[nodiscard]] link_ptr find_link(ice::mux_peer peer) const;
  [[nodiscard]] std::vector<port_ptr> ports() const;
  [[nodiscard]] std::vector<link_ptr> links() const;
  void tell_addresses() noexcept;

  mux_options options_;
  guarded_strand strand_;
  std::shared_ptr<shared_resources> resources_;
  std::uint16_t port_ = 0;
  std::uint64_t watch_token_ = 0;
  std::uint32_t last_socket_ = 0;

  /// A stretch of a batch that is one peer's.
  struct stretch {
    ice::mux_peer owner = ice::mux_peer::none;
    link_ptr link;
    std::size_t end = 0;
  };
  std::vector<stretch> stretches_;  ///< used by `sort_out` alone
  std::vector<link_ptr> awoken_;    ///< likewise

  mutable std::mutex mutex_;
  ice::mux_table table_;
  std::unordered_map<ice::mux_peer, std::weak_ptr<mux_link>> links_;
  std::vector<port_ptr> ports_;
  std::vector<base::packet_batch> blocks_;
  bool closed_ = false;
  std::atomic<std::uint64_t> overflowed_ = 0;
};

}  // namespace asiortc::io
