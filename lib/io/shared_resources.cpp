#include "io/shared_resources.hpp"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>

#include <utility>

namespace asiortc::io {
namespace {

namespace asio = boost::asio;

/// Finds the resources by context. They are told of the context's end by themselves.
class context_service final : public asio::execution_context::service {
 public:
  using key_type = context_service;
  static asio::execution_context::id id;

  explicit context_service(asio::execution_context& context) : service(context) {}

  std::shared_ptr<shared_resources> get(const asio::any_io_executor& executor) {
    const std::lock_guard lock(mutex_);
    auto current = current_.lock();
    if (!current) {
      current = std::make_shared<shared_resources>(executor);
      current_ = current;
    }
    return current;
  }

 private:
  void shutdown() override {}

  std::mutex mutex_;
  std::weak_ptr<shared_resources> current_;
};

asio::execution_context::id context_service::id;

}  // namespace

std::shared_ptr<shared_resources> shared_resources::of(const asio::any_io_executor& executor) {
  auto& context = asio::query(executor, asio::execution::context);
  return asio::use_service<context_service>(context).get(executor);
}

shared_resources::shared_resources(const asio::any_io_executor& executor)
    : mdns_(mdns_service::create(executor)),
      resolver_(make_name_resolver(executor)),
      interfaces_(interface_watch::create(executor)),
      ticker_(sctp_ticker::create(executor, sctp::usrsctp_engine())) {}

shared_resources::borrowed_memory shared_resources::borrow() {
  give_back deleter{shared_from_this()};
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return {new turn_memory, std::move(deleter)};
  borrowed_memory memory(free_.back().release(), std::move(deleter));
  free_.pop_back();
  return memory;
}

void shared_resources::give_back::operator()(turn_memory* memory) const {
  std::unique_ptr<turn_memory> returned(memory);
  const std::lock_guard lock(owner->mutex_);
  owner->free_.push_back(std::move(returned));
}

}  // namespace asiortc::io
