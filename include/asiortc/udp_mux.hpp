// One UDP port for many peer connections.
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/configuration.hpp>
#include <asiortc/log.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/udp.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace asiortc::io {
class mux;
}

namespace asiortc::inline ASIORTC_ABI {

/// Options of a `udp_mux`.
class ASIORTC_EXPORT udp_mux_options {
 public:
  udp_mux_options() = default;

  std::uint16_t port = 0;  ///< the same on every address; 0 picks one
  /// Literals of this machine, at most 16; none: every address that a peer connection would use by
  /// itself, as they come and go.
  std::vector<std::string> addresses;
  /// Whether to use an address, where none are named; see `configuration::interface_filter`.
  std::function<bool(const interface_address&)> interface_filter;

  log_sink log;                               ///< where lines of the log go; none: nowhere
  log_level log_threshold = log_level::info;  ///< the least important level that is given to it
};

/// What a `udp_mux` has counted since it was made, and what it holds now.
class ASIORTC_EXPORT udp_mux_counters {
 public:
  udp_mux_counters() = default;

  std::uint64_t unknown_dropped = 0;  ///< datagrams that are nobody's: no cost but a look-up
  /// Datagrams of a peer over a pair of addresses that another peer uses.
  std::uint64_t conflicts_dropped = 0;
  std::uint64_t overflow_dropped = 0;  ///< datagrams for a peer whose executor did not keep up
  std::size_t peers = 0;               ///< peer connections that are not closed
  std::size_t remote_addresses = 0;    ///< of all of them; at most 64 each
};

/// One UDP port, on one or more addresses, for any number of peer connections: put it into their
/// `configuration::udp_mux`. What arrives is told apart by the user name fragment of ICE's checks,
/// by the transaction of an answer, and else by the address that it comes from.
///
/// Two ends of a connection may share one mux. But where both sides have one, and these are two,
/// one pair of addresses carries one connection at a time: a second one finds its checks refused,
/// and takes another pair of addresses or fails.
///
/// It starts no thread: its sockets are awaited on a strand of its executor, and only while there
/// are peers, so that a mux alone keeps no `run()` going. Peers may live on other executors and
/// contexts; they send on the sockets directly, and what arrives for them is posted to their
/// strands.
///
/// Neither copied nor moved. Each `configuration` holds a share of it, and so does each peer
/// connection that was made with one: it closes with the last share, or by `close()`. Where either
/// context is destroyed first, its side becomes inert: peers without their mux lose their sockets,
/// as if an interface went away.
///
/// Thread safety: every member may be called from any thread.
class ASIORTC_EXPORT udp_mux {
 public:
  /// Binds the sockets. `executor` is not empty.
  /// Throws `error`, whose text names the address: `errc::syntax_error` for what is no address,
  /// `errc::type_error` for one that stands for many, for too many, and where no address of this
  /// machine may be used; `asio::error::address_in_use` when the port is taken, another error of
  /// the system.
  explicit udp_mux(boost::asio::any_io_executor executor,
                   const udp_mux_options& options = udp_mux_options());
  udp_mux(const udp_mux&) = delete;
  udp_mux& operator=(const udp_mux&) = delete;
  /// As `close()`.
  ~udp_mux();

  /// The port; it stays after the end. Never fails.
  [[nodiscard]] std::uint16_t port() const;
  /// The addresses that are bound now; none after the end. Never fails.
  [[nodiscard]] std::vector<boost::asio::ip::udp::endpoint> local_endpoints() const;
  /// Never fails.
  [[nodiscard]] udp_mux_counters counters() const;
  /// Whether neither `close()` was called nor its context destroyed. Never fails.
  [[nodiscard]] bool is_open() const;

  /// Takes the sockets away from the peers that are left, which lose their paths and, unless a
  /// relay carries them, become disconnected and fail (RFC 7675 5.1). A new peer connection with
  /// this mux is refused. The descriptors are closed in the background. Idempotent, never blocks.
  void close();

  /// What the library's own parts work with. Never empty.
  [[nodiscard]] const std::shared_ptr<io::mux>& native_handle() const noexcept { return mux_; }

 private:
  std::shared_ptr<io::mux> mux_;
};

}  // namespace asiortc::inline ASIORTC_ABI
