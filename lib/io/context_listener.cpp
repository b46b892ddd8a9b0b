#include <asiortc/detail/context_listener.hpp>

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>

#include <atomic>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace asiortc::inline ASIORTC_ABI::detail {

namespace asio = boost::asio;

/// Shared between the context's service and the listeners, since either may go first.
class listener_registry {
 public:
  void add(context_listener* key, std::weak_ptr<context_listener> listener) {
    const std::lock_guard lock(mutex_);
    listeners_.emplace(key, std::move(listener));
  }

  void remove(context_listener* key) {
    const std::lock_guard lock(mutex_);
    listeners_.erase(key);
  }

  [[nodiscard]] bool gone() const noexcept { return gone_; }

  void shutdown() noexcept {
    gone_ = true;
    std::vector<std::shared_ptr<context_listener>> alive;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [key, listener] : listeners_) {
        if (auto held = listener.lock()) alive.push_back(std::move(held));
      }
    }
    for (const auto& listener : alive) listener->on_context_shutdown();
  }

 private:
  std::atomic<bool> gone_{false};
  std::mutex mutex_;
  std::unordered_map<context_listener*, std::weak_ptr<context_listener>> listeners_;
};

namespace {

class listener_service final : public asio::execution_context::service {
 public:
  using key_type = listener_service;
  static asio::execution_context::id id;

  explicit listener_service(asio::execution_context& context)
      : service(context), registry_(std::make_shared<listener_registry>()) {}

  [[nodiscard]] const std::shared_ptr<listener_registry>& registry() const { return registry_; }

 private:
  void shutdown() override { registry_->shutdown(); }

  std::shared_ptr<listener_registry> registry_;
};

asio::execution_context::id listener_service::id;

}  // namespace

context_listener::~context_listener() {
  if (registry_) registry_->remove(this);
}

bool context_listener::context_gone() const noexcept { return registry_ && registry_->gone(); }

void context_listener::watch_context(const asio::any_io_executor& executor) {
  if (registry_) return;
  auto& context = asio::query(executor, asio::execution::context);
  registry_ = asio::use_service<listener_service>(context).registry();
  registry_->add(this, weak_from_this());
}

}  // namespace asiortc::inline ASIORTC_ABI::detail
