// Resolves `.local` names for all peers of a context; its sockets exist while a name is asked for.
#pragma once

#include "base/endpoint.hpp"
#include "io/guarded_strand.hpp"
#include "io/multicast_socket.hpp"
#include "mdns/querier.hpp"

#include <asiortc/detail/context_listener.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace asiortc::io {

class mdns_resolver final : public detail::context_listener {
 public:
  /// Called on the resolver's strand; no addresses when nobody answered.
  using callback = std::function<void(std::vector<base::ip_address>)>;

  static std::shared_ptr<mdns_resolver> create(const boost::asio::any_io_executor& executor,
                                               base::logger log = {});
  ~mdns_resolver() override;

  /// Thread-safe. The token is for `cancel`.
  std::uint64_t resolve(std::string name, callback done);
  /// Thread-safe; a call that is under way may still come.
  void cancel(std::uint64_t token);

  void on_context_shutdown() noexcept override;

 private:
  struct channel;
  struct wish {
    mdns::resolution_id id{};
    callback done;
  };

  mdns_resolver(const boost::asio::any_io_executor& executor, base::logger log);
  std::shared_ptr<mdns_resolver> self();
  void start(std::uint64_t token, const std::string& name, callback done);
  void update();
  void deliver();
  void open();
  void close() noexcept;
  void listen(const std::shared_ptr<channel>& from);
  void receive(channel& from);
  void arm();

  guarded_strand strand_;
  mdns::querier querier_;
  std::map<std::uint64_t, wish> wishes_;
  std::vector<std::shared_ptr<channel>> channels_;
  std::unique_ptr<boost::asio::steady_timer> timer_;
  std::atomic<std::uint64_t> last_token_ = 0;
};

}  // namespace asiortc::io
