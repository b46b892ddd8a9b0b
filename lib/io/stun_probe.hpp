// Asks one STUN server over UDP, TCP or TLS whether it answers, and what a NAT in between does.
#pragma once

#include "base/endpoint.hpp"
#include "io/guarded_strand.hpp"
#include "io/peer_driver.hpp"
#include "io/shared_resources.hpp"
#include "io/turn_stream.hpp"
#include "io/udp_socket.hpp"
#include "stun/nat_discovery.hpp"

#include <asiortc/detail/context_listener.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace asiortc::io {

class stun_probe final : public detail::context_listener {
 public:
  struct settings {
    base::endpoint server;
    std::string host;  ///< what the certificate must be for
    turn_transport transport = turn_transport::udp;
    std::string trusted_certificates;  ///< PEM; empty: the system's
    bool discover_nat = true;          ///< over UDP alone
  };
  struct outcome {
    boost::system::error_code error;
    std::string detail;
    base::endpoint local;
    stun::nat_findings findings;
    base::duration answer_time{};  ///< until the first answer, with what TCP and TLS need before
  };
  using handler = std::function<void(outcome)>;

  /// `done` is called once, on a strand of the probe's own, unless the context ends before. The
  /// probe lives until then.
  static std::shared_ptr<stun_probe> start(const boost::asio::any_io_executor& executor,
                                           settings wanted, handler done);
  stun_probe(const boost::asio::any_io_executor& executor, settings wanted, handler done);
  /// Completes with `operation_aborted`. Thread-safe.
  void cancel();
  void on_context_shutdown() noexcept override;

 private:
  using error_code = boost::system::error_code;

  std::shared_ptr<stun_probe> self() {
    return std::static_pointer_cast<stun_probe>(shared_from_this());
  }
  void begin();
  void ask_over_datagrams();
  bool open_socket(const base::ip_address& local, base::socket_id id);
  void receive_from(const std::shared_ptr<udp_socket>& socket);
  void pump();
  void handle_timer();
  void finish_discovery();
  void ask_over_stream();
  void send_request();
  void read_answer();
  void take_answer(base::mutable_byte_span packet);
  void finish(error_code error, std::string detail);
  void close() noexcept;

  settings wanted_;
  handler done_;
  guarded_strand strand_;
  std::shared_ptr<shared_resources> resources_;
  std::optional<boost::asio::steady_timer> timer_;
  base::time_point armed_ = base::never;
  base::time_point started_{};
  outcome outcome_;
  std::optional<stun::nat_discovery> core_;
  std::vector<std::shared_ptr<udp_socket>> sockets_;
  std::shared_ptr<turn_stream> stream_;
  stun::transaction_id id_{};
};

}  // namespace asiortc::io
