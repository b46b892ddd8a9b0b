// Tells when an address or a link of this machine comes or goes (rtnetlink(7)).
#pragma once

#include "base/time.hpp"
#include "io/guarded_strand.hpp"
#include "io/interfaces.hpp"

#include <asiortc/detail/context_listener.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace asiortc::io {

/// Shared by a context; its socket and timer exist while somebody subscribes.
class interface_watch final : public detail::context_listener {
 public:
  /// What is there now: the same object as the last time if nothing is different.
  using snapshot = std::shared_ptr<const system_addresses>;
  /// Called on the watch's strand, once for the changes of a tenth of a second, and of up to 1.6 s
  /// while they do not end.
  using callback = std::function<void(const snapshot&)>;

  static std::shared_ptr<interface_watch> create(const boost::asio::any_io_executor& executor);
  ~interface_watch() override;

  /// Thread-safe. The token, never 0, is for `unsubscribe`.
  std::uint64_t subscribe(callback changed);
  /// Thread-safe; a call that is under way may still come.
  void unsubscribe(std::uint64_t token);

  void on_context_shutdown() noexcept override;

 private:
  using descriptor_type = boost::asio::posix::basic_stream_descriptor<guarded_strand::strand_type>;
  /// Alive until its last wait has completed.
  struct channel;

  explicit interface_watch(const boost::asio::any_io_executor& executor);
  std::shared_ptr<interface_watch> self();
  void open();
  void close() noexcept;
  void listen(const std::shared_ptr<channel>& from);
  void settle();
  void tell();

  guarded_strand strand_;
  std::map<std::uint64_t, callback> subscribers_;
  std::shared_ptr<channel> channel_;
  snapshot last_;
  base::duration pause_;
  base::time_point told_;
  bool settling_ = false;
  std::atomic<std::uint64_t> last_token_ = 0;
};

}  // namespace asiortc::io
