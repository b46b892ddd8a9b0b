// Whether a STUN server answers, and what a NAT on the way to it does.
#pragma once

#include <asiortc/config.hpp>
#include <asiortc/name_resolver.hpp>
#include <asiortc/nat_behaviour.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace asiortc::inline ASIORTC_ABI {

/// What a server is asked over (RFC 8489 6.2).
enum class ASIORTC_EXPORT stun_transport { udp, tcp, tls };

/// Options of `async_probe_stun`.
class ASIORTC_EXPORT stun_probe_options {
 public:
  stun_probe_options() = default;

  /// None: that of the URL, where `stun:` means UDP and `stuns:` means TLS.
  std::optional<stun_transport> transport;
  bool ipv6 = false;         ///< ask the server's first IPv6 address, not its first IPv4 address
  bool discover_nat = true;  ///< over UDP also RFC 5780's tests, which take up to 3 s
  /// Certificates, in PEM, of which one must have signed the server's; empty: the system's.
  std::string trusted_certificates;
  std::shared_ptr<name_resolver> resolver;  ///< none: `make_name_resolver` of the executor
};

/// What `async_probe_stun` found out.
class ASIORTC_EXPORT stun_probe_result {
 public:
  stun_probe_result() = default;

  std::string server;          ///< address and port that were asked; empty where there is none
  std::string local_address;   ///< from where, without the port; empty but over UDP
  std::string mapped_address;  ///< what we look like to the server, with the port
  bool translated = false;     ///< over UDP: whether that is another address or port than ours
  /// Until the answer; over TCP and TLS with what the connection took.
  std::chrono::microseconds answer_time{0};
  bool has_other_address = false;  ///< whether the server can tell the two that follow (RFC 5780)
  nat_behaviour mapping = nat_behaviour::unknown;    ///< what the outer port depends on
  nat_behaviour filtering = nat_behaviour::unknown;  ///< what those who get in depend on
  std::string detail;                                ///< why it failed, in words
};

namespace detail {
using stun_probe_completion =
    boost::asio::any_completion_handler<void(boost::system::error_code, stun_probe_result)>;

struct ASIORTC_EXPORT probe_stun_operation {
  void operator()(stun_probe_completion handler, boost::asio::any_io_executor executor,
                  std::string url, stun_probe_options options) const;
};
}  // namespace detail

/// Asks a STUN server, or a TURN server, which is one as well, for our address (RFC 8489), and over
/// UDP finds out what NAT or firewall is in between where the server has two addresses (RFC
/// 5780 4.3 and 4.4). It sends from the address that the system would choose towards the server.
/// UDP is given up after 2.5 s without an answer, TCP and TLS after 10 s without a connection and 5
/// s without an answer.
///
/// Completion signature: `void(error_code, stun_probe_result)`; on an error `detail` says more.
/// Errors: `errc::syntax_error` for a URL that is none; `asio::error::host_not_found` where the
/// name has no address of the family; `asio::error::timed_out` without an answer;
/// `errc::not_supported` when the server refused, or is none; those of connecting and of TLS;
/// `operation_aborted` when cancelled (any type), which ends the probe.
/// Thread safety: may be called from any thread. Lifetime: what is pending holds what it needs, and
/// is dropped without a call when the execution context ends.
template <class Token = boost::asio::deferred_t>
[[nodiscard]] auto async_probe_stun(boost::asio::any_io_executor executor, std::string url,
                                    stun_probe_options options = stun_probe_options(),
                                    Token&& token = Token()) {
  return boost::asio::async_initiate<Token, void(boost::system::error_code, stun_probe_result)>(
      detail::probe_stun_operation(), token, std::move(executor), std::move(url),
      std::move(options));
}

}  // namespace asiortc::inline ASIORTC_ABI
