#include "io/stun_probe.hpp"

#include "api/ice_server_url.hpp"

#include <asiortc/detail/operation.hpp>
#include <asiortc/stun_probe.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

namespace asio = boost::asio;
using asiortc::stun_transport;
using boost::system::error_code;
using probe_operation = operation<stun_probe_result>;

io::turn_transport transport_of(const ice_server_url& url, std::optional<stun_transport> wanted) {
  if (wanted) return static_cast<io::turn_transport>(*wanted);
  const bool secure = url.scheme == ice_server_url::scheme_type::stuns ||
                      url.scheme == ice_server_url::scheme_type::turns;
  if (secure) return io::turn_transport::tls;
  return url.transport == ice_server_url::transport_type::tcp ? io::turn_transport::tcp
                                                              : io::turn_transport::udp;
}

static_assert(static_cast<int>(stun_transport::udp) == static_cast<int>(io::turn_transport::udp) &&
              static_cast<int>(stun_transport::tcp) == static_cast<int>(io::turn_transport::tcp) &&
              static_cast<int>(stun_transport::tls) == static_cast<int>(io::turn_transport::tls));

stun_probe_result to_public(const io::stun_probe::outcome& outcome, const base::endpoint& server) {
  stun_probe_result result;
  result.server = server.to_string();
  result.detail =
      outcome.detail.empty() && outcome.error ? outcome.error.message() : outcome.detail;
  if (outcome.local.port != 0) result.local_address = outcome.local.address.to_string();
  if (outcome.findings.mapped) {
    result.mapped_address = outcome.findings.mapped->to_string();
    result.translated = outcome.local.port != 0 && *outcome.findings.mapped != outcome.local;
  }
  result.answer_time = std::chrono::duration_cast<std::chrono::microseconds>(outcome.answer_time);
  result.has_other_address = outcome.findings.other.has_value();
  result.mapping = outcome.findings.mapping;
  result.filtering = outcome.findings.filtering;
  return result;
}

void fail(const std::shared_ptr<probe_operation>& waiting, error_code code, std::string detail) {
  stun_probe_result result;
  result.detail = std::move(detail);
  waiting->complete(code, std::move(result));
}

/// Asks the address; a cancellation ends the probe.
void ask(const asio::any_io_executor& executor, const std::shared_ptr<probe_operation>& waiting,
         io::stun_probe::settings settings) {
  const base::endpoint server = settings.server;
  const auto probe = io::stun_probe::start(
      executor, std::move(settings), [waiting, server](const io::stun_probe::outcome& outcome) {
        waiting->complete(outcome.error, to_public(outcome, server));
      });
  waiting->on_cancel([weak = std::weak_ptr<io::stun_probe>(probe)] {
    if (const auto running = weak.lock()) running->cancel();
  });
}

}  // namespace

void probe_stun_operation::operator()(stun_probe_completion handler, asio::any_io_executor executor,
                                      std::string text, stun_probe_options options) const {
  const auto waiting = probe_operation::start(executor, std::move(handler));
  const auto url = parse_ice_server_url(text);
  if (!url) return fail(waiting, url.error().code, url.error().detail);
  const auto resolver = options.resolver ? options.resolver : make_name_resolver(executor);
  io::stun_probe::settings settings;
  settings.host = url->host;
  settings.server.port = url->port;
  settings.transport = transport_of(*url, options.transport);
  settings.trusted_certificates = std::move(options.trusted_certificates);
  settings.discover_nat = options.discover_nat;
  waiting->on_cancel([waiting, resolver, own = !options.resolver] {
    if (own) resolver->cancel();
    fail(waiting, asio::error::operation_aborted, {});
  });
  resolver->async_resolve(
      url->host, [executor, waiting, resolver, settings, v6 = options.ipv6](
                     error_code error, const std::vector<asio::ip::address>& found) mutable {
        const auto fits = std::find_if(found.begin(), found.end(),
                                       [v6](const auto& address) { return address.is_v6() == v6; });
        if (fits == found.end()) {
          if (!error) error = asio::error::host_not_found;
          const char* const family =
              v6 ? "the name has no IPv6 address" : "the name has no IPv4 address";
          return fail(waiting, error, found.empty() ? error.message() : family);
        }
        settings.server.address = *base::ip_address::parse(fits->to_string());
        ask(executor, waiting, std::move(settings));
      });
}

}  // namespace asiortc::inline ASIORTC_ABI::detail
