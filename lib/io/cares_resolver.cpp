#include "io/cares_resolver.hpp"

#include <asiortc/detail/context_listener.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace asiortc::io {
namespace {

namespace asio = boost::asio;
using handler_type = name_resolver::handler_type;
using address_list = std::vector<asio::ip::address>;

asio::ip::address to_asio(const base::ip_address& address) {
  const auto octets = address.octets();
  if (address.is_v6()) {
    asio::ip::address_v6::bytes_type bytes;
    std::copy(octets.begin(), octets.end(), bytes.begin());
    return asio::ip::address_v6(bytes, address.scope_id());
  }
  asio::ip::address_v4::bytes_type bytes;
  std::copy(octets.begin(), octets.end(), bytes.begin());
  return asio::ip::address_v4(bytes);
}

boost::system::error_code to_error(lookup_status status) {
  switch (status) {
    case lookup_status::found:
      return {};
    case lookup_status::no_such_host:
      return asio::error::host_not_found;
    case lookup_status::try_again:
      return asio::error::host_not_found_try_again;
    case lookup_status::aborted:
      return asio::error::operation_aborted;
  }
  return asio::error::host_not_found;
}

/// An operation that is pending. It holds tracked work on both executors.
struct lookup {
  lookup(handler_type h, const asio::any_io_executor& executor)
      : handler(std::move(h)),
        work(asio::prefer(executor, asio::execution::outstanding_work.tracked)),
        handler_executor(asio::get_associated_executor(handler, executor)),
        handler_work(asio::prefer(handler_executor, asio::execution::outstanding_work.tracked)) {}

  /// Posts the completion. The handler leaves with it.
  static void complete(const std::shared_ptr<lookup>& done, boost::system::error_code error,
                       address_list addresses) {
    const auto executor = done->work;
    asio::post(executor, asio::bind_executor(
                             done->handler_executor,
                             [operation = done, error, addresses = std::move(addresses)]() mutable {
                               asio::get_associated_cancellation_slot(operation->handler).clear();
                               handler_type last(std::move(operation->handler));
                               operation.reset();
                               std::move(last)(error, std::move(addresses));
                             }));
  }

  handler_type handler;
  asio::any_io_executor work;
  asio::associated_executor_t<handler_type, asio::any_io_executor> handler_executor;
  asio::associated_executor_t<handler_type, asio::any_io_executor> handler_work;
};

/// What the handle and the pending operations share.
class resolver_core final : public detail::context_listener {
 public:
  resolver_core(const asio::any_io_executor& executor, cares_options options)
      : executor_(asio::prefer(executor, asio::execution::outstanding_work.untracked)),
        strand_(executor),
        options_(std::move(options)) {}

  void watch(const asio::any_io_executor& executor) { watch_context(executor); }

  void start(std::string host, handler_type handler) {
    if (!executor_) return;  // the context is gone, and with it whoever waits
    auto operation = std::make_shared<lookup>(std::move(handler), executor_);
    if (const auto literal = base::ip_address::parse(host)) {
      lookup::complete(operation, {}, {to_asio(*literal)});
      return;
    }
    auto slot = asio::get_associated_cancellation_slot(operation->handler);
    if (slot.is_connected()) {
      // Weak on both sides: the slot belongs to the user and may outlive the resolver.
      slot.assign([core = std::weak_ptr<resolver_core>(self()),
                   wanted = std::weak_ptr<lookup>(operation)](asio::cancellation_type) {
        const auto alive = core.lock();
        if (alive) alive->cancel(wanted);
      });
    }
    strand_.post(
        [self = self(), operation, host = std::move(host)] { self->begin(operation, host); });
  }

  void cancel_all() {
    strand_.post([self = self()] {
      for (const auto& operation : std::exchange(self->pending_, {})) abort(operation);
      self->settle();
    });
  }

  void on_context_shutdown() noexcept override {
    // The operations go before the channel, whose callbacks then find none to complete.
    const auto dropped = std::exchange(pending_, {});
    if (channel_) channel_->close();
    channel_.reset();
    strand_.drop();
    executor_ = {};
  }

 private:
  std::shared_ptr<resolver_core> self() {
    return std::static_pointer_cast<resolver_core>(shared_from_this());
  }

  static void abort(const std::shared_ptr<lookup>& operation) {
    lookup::complete(operation, asio::error::operation_aborted, {});
  }

  void cancel(const std::weak_ptr<lookup>& wanted) {
    strand_.post([self = self(), wanted] {
      const auto operation = wanted.lock();
      if (!operation || std::erase(self->pending_, operation) == 0) return;
      abort(operation);
      self->settle();
    });
  }

  void begin(const std::shared_ptr<lookup>& operation, const std::string& host) {
    if (pending_.size() >= max_pending_lookups) {
      lookup::complete(operation, asio::error::host_not_found_try_again, {});
      return;
    }
    pending_.push_back(operation);
    if (!channel_) channel_ = std::make_shared<cares_channel>(strand_.get(), options_);
    // c-ares keeps the callback until its own end, so that it must not keep us.
    channel_->lookup(host, [weak = std::weak_ptr<resolver_core>(self()),
                            wanted = std::weak_ptr<lookup>(operation)](
                               lookup_status status, std::vector<base::ip_address> found) {
      const auto core = weak.lock();
      const auto looked_up = wanted.lock();
      if (core && looked_up) core->finish(looked_up, status, found);
    });
    settle();
  }

  void finish(const std::shared_ptr<lookup>& operation, lookup_status status,
              const std::vector<base::ip_address>& found) {
    if (std::erase(pending_, operation) == 0) return;
    address_list addresses;
    for (const auto& address : found) addresses.push_back(to_asio(address));
    lookup::complete(operation, to_error(status), std::move(addresses));
    // We may be inside c-ares here, where the channel must not be closed.
    strand_.post([self = self()] { self->settle(); });
  }

  /// Closes sockets and timer when nobody waits any more.
  void settle() {
    if (!pending_.empty() || !channel_) return;
    const auto last = std::exchange(channel_, nullptr);
    last->close();
  }

  asio::any_io_executor executor_;
  guarded_strand strand_;
  cares_options options_;
  std::vector<std::shared_ptr<lookup>> pending_;
  std::shared_ptr<cares_channel> channel_;
};

class cares_resolver final : public name_resolver {
 public:
  cares_resolver(const asio::any_io_executor& executor, cares_options options)
      : core_(std::make_shared<resolver_core>(executor, std::move(options))) {
    core_->watch(executor);
  }
  ~cares_resolver() override { core_->cancel_all(); }

  void async_resolve(std::string host, handler_type handler) override {
    core_->start(std::move(host), std::move(handler));
  }
  void cancel() override { core_->cancel_all(); }

 private:
  std::shared_ptr<resolver_core> core_;
};

}  // namespace

std::shared_ptr<name_resolver> make_cares_resolver(const asio::any_io_executor& executor,
                                                   cares_options options) {
  return std::make_shared<cares_resolver>(executor, std::move(options));
}

}  // namespace asiortc::io

namespace asiortc::inline ASIORTC_ABI {

std::shared_ptr<name_resolver> make_name_resolver(boost::asio::any_io_executor executor) {
  return io::make_cares_resolver(executor);
}

}  // namespace asiortc::inline ASIORTC_ABI
