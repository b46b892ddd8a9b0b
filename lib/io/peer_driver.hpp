// Drives one peer core: its strand, its sockets, its timer.
#pragma once

#include "base/time.hpp"
#include "io/interfaces.hpp"
#include "peer/peer.hpp"

#include <asiortc/configuration.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace asiortc::io {

class mux;

/// A STUN server as configured: a literal or a name to resolve.
struct stun_server {
  std::string url;  ///< as configured, for messages
  std::string host;
  std::uint16_t port = 3478;
};

enum class turn_transport : std::uint8_t { udp, tcp, tls };

struct turn_server {
  std::string url;  ///< as configured, for messages
  std::string host;
  std::uint16_t port = 3478;
  turn_transport transport = turn_transport::udp;
  std::string username;
  std::string password;
};

struct driver_options {
  std::vector<stun_server> stun_servers;
  std::vector<turn_server> turn_servers;
  std::vector<std::string> turn_over_dtls;  ///< URLs, told as failed by each gathering
  std::string turn_trusted_certificates;    ///< PEM; empty: the system's
  base::duration lookup_timeout = std::chrono::seconds(10);
  base::duration turn_connect_timeout = std::chrono::seconds(10);  ///< of one connection
  /// Of a server whose name has another address: for an answer over a connection that stands.
  base::duration turn_answer_wait = std::chrono::milliseconds(9500);
  base::duration turn_patience =
      std::chrono::milliseconds(39500);  ///< until none is tried any more
  std::uint16_t port_min = 0;
  std::uint16_t port_max = 0;
  bool ice_tcp = false;
  std::function<bool(const interface_address&)> interface_filter;
  std::vector<address_mapping> external_addresses;
  bool hide_addresses = false;   ///< host candidates tell mDNS names, which we answer for
  std::shared_ptr<io::mux> mux;  ///< none: sockets of its own
  std::shared_ptr<name_resolver> resolver;  ///< none: c-ares, shared by the context
  base::logger log;
};

/// Told, on the strand, of every event of the core, after the pump has flushed what it sent.
class peer_observer {
 public:
  virtual ~peer_observer() = default;
  virtual void on_event(peer::event&& event) = 0;
};

/// Everything but construction, destruction, `post()` and `strand()` happens on the strand.
class peer_driver final {
 public:
  using strand_type = boost::asio::strand<boost::asio::any_io_executor>;

  peer_driver(const boost::asio::any_io_executor& executor, peer::settings settings,
              driver_options options);
  /// Without `stop()` before it, closes sockets and timers at once, without a farewell.
  ~peer_driver();
  peer_driver(const peer_driver&) = delete;
  peer_driver& operator=(const peer_driver&) = delete;

  /// To be used only while the execution context lives.
  [[nodiscard]] const strand_type& strand() const;
  /// Posts to the strand; false, and nothing happens, when the execution context is gone.
  bool post(std::function<void()> function);
  /// The observer must outlive the driver or be taken away with nullptr.
  void set_observer(peer_observer* observer);

  /// The clock and the core, for a call that is followed by `pump()`.
  [[nodiscard]] base::time_point now() const;
  [[nodiscard]] peer::peer& core();
  /// From the next gathering on its servers are asked, and its trust is theirs; the rest of it is
  /// of no matter.
  void set_servers(driver_options next);
  /// Sends what the core has to send, tells the observer what happened, sets the timer anew.
  void pump();

  /// Sends the farewell that the core has queued, then closes every socket and timer and cancels
  /// every look-up. `on_stopped` is posted to the strand when nothing of the driver is pending.
  void stop(std::function<void()> on_stopped);

  struct impl;

 private:
  std::shared_ptr<impl> impl_;
};

}  // namespace asiortc::io
