// Objects that must let go of handlers and sockets before their execution context is gone.
#pragma once

#include <asiortc/config.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace asiortc::inline ASIORTC_ABI::detail {

class listener_registry;

/// A pending operation parked in an object of ours holds its handler, the handler a coroutine
/// frame, and the frame often the object: a circle that only the context's end can break. What
/// derives from this is told of that end, once, on the thread that destroys the context.
class ASIORTC_EXPORT context_listener : public std::enable_shared_from_this<context_listener> {
 public:
  context_listener() = default;
  context_listener(const context_listener&) = delete;
  context_listener& operator=(const context_listener&) = delete;

  /// Drops every handler without calling it, every socket and timer, and every executor: a strand
  /// that outlives its context would look for it.
  virtual void on_context_shutdown() noexcept = 0;

  /// Whether the context is being destroyed or is gone; nothing may be posted to it then.
  [[nodiscard]] bool context_gone() const noexcept;

 protected:
  virtual ~context_listener();

  /// Enters this object, held weakly, with the context behind `executor`. Further calls do nothing.
  /// Not thread-safe by itself.
  void watch_context(const boost::asio::any_io_executor& executor);

 private:
  std::shared_ptr<listener_registry> registry_;
};

}  // namespace asiortc::inline ASIORTC_ABI::detail
