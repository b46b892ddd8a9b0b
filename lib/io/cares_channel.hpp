// c-ares on our own descriptors and timer: no thread, and nothing open when nothing is asked.
#pragma once

#include "base/endpoint.hpp"
#include "io/guarded_strand.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

struct ares_channeldata;
struct ares_addrinfo;

namespace asiortc::io {

struct cares_options {
  std::vector<base::endpoint> servers;      ///< none: those of the system; tests give their own
  std::chrono::milliseconds timeout{2000};  ///< of the first try; it doubles
  int tries = 2;
};

enum class lookup_status { found, no_such_host, try_again, aborted };

/// One life of a c-ares channel, from the first look-up to the last. Everything happens on the
/// strand. Closed by `close()`; its handlers hold it until they have run.
class cares_channel final : public std::enable_shared_from_this<cares_channel> {
 public:
  using callback = std::function<void(lookup_status, std::vector<base::ip_address>)>;

  cares_channel(guarded_strand::strand_type strand, const cares_options& options);
  ~cares_channel();
  cares_channel(const cares_channel&) = delete;
  cares_channel& operator=(const cares_channel&) = delete;

  /// `done` may be called before this returns.
  void lookup(const std::string& host, callback done);
  /// Pending look-ups are called back with `aborted`. Not to be called from a callback.
  void close() noexcept;

 private:
  struct watch;

  static void on_socket_state(void* self, int fd, int readable, int writable);
  static void on_result(void* done, int status, int timeouts, ares_addrinfo* result);
  void set_interest(int fd, bool readable, bool writable);
  void wait(const std::shared_ptr<watch>& watched, bool for_writing);
  void process(int readable_fd, int writable_fd);
  void arm();

  guarded_strand::strand_type strand_;
  boost::asio::steady_timer timer_;
  std::map<int, std::shared_ptr<watch>> watches_;
  ares_channeldata* channel_ = nullptr;
};

}  // namespace asiortc::io
