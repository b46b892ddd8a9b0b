// Turning a host name into addresses without a thread.
#pragma once

#include <asiortc/config.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <string>
#include <vector>

namespace asiortc::inline ASIORTC_ABI {

/// Resolves host names. asiortc never uses Asio's own resolvers, since each starts a thread; a
/// program may supply a resolver of its own wherever one is taken.
class ASIORTC_EXPORT name_resolver {
 public:
  /// Completes with at least one address, in the order in which they should be tried, or with an
  /// error.
  using handler_type = boost::asio::any_completion_handler<void(
      boost::system::error_code, std::vector<boost::asio::ip::address>)>;

  name_resolver() = default;
  name_resolver(const name_resolver&) = delete;
  name_resolver& operator=(const name_resolver&) = delete;
  /// Completes what is pending with `operation_aborted`; never blocks.
  virtual ~name_resolver() = default;

  /// Starts to resolve `host`, a name without port or brackets. A literal address is parsed and
  /// given back without any query; `localhost` and the other names of the hosts file resolve
  /// without a server. The handler is posted, never called from inside, and runs on its associated
  /// executor; its cancellation slot is honoured and gives `operation_aborted`. Several operations
  /// may be pending at once. Thread-safe.
  /// Errors: `asio::error::host_not_found` where the name does not exist or has no address,
  /// `host_not_found_try_again` where no server answered in time, `operation_aborted`.
  virtual void async_resolve(std::string host, handler_type handler) = 0;

  /// Completes all that is pending with `operation_aborted`. Thread-safe.
  virtual void cancel() = 0;
};

/// The resolver of asiortc: c-ares on sockets and timers of `executor`, with the system's settings.
/// Operations that are pending keep `executor` in work and what they need alive.
[[nodiscard]] ASIORTC_EXPORT std::shared_ptr<name_resolver> make_name_resolver(
    boost::asio::any_io_executor executor);

}  // namespace asiortc::inline ASIORTC_ABI
