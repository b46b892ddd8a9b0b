// Multicast DNS for all peers of a context: resolves the names of others, and answers for those
// that hide addresses of ours. Its sockets exist while either is wanted.
#pragma once

#include "base/endpoint.hpp"
#include "io/guarded_strand.hpp"
#include "io/interfaces.hpp"
#include "io/multicast_socket.hpp"
#include "mdns/querier.hpp"
#include "mdns/responder.hpp"

#include <asiortc/detail/context_listener.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace asiortc::io {

class mdns_service final : public detail::context_listener {
 public:
  /// Called on the service's strand; no addresses when nobody answered.
  using callback = std::function<void(std::vector<base::ip_address>)>;
  /// A name is answered for while somebody holds it.
  using held_name = std::shared_ptr<const std::string>;

  static std::shared_ptr<mdns_service> create(const boost::asio::any_io_executor& executor,
                                              base::logger log = {});
  ~mdns_service() override;

  /// Thread-safe. The token is for `cancel`.
  std::uint64_t resolve(std::string name, callback done);
  /// Thread-safe; a call that is under way may still come.
  void cancel(std::uint64_t token);

  /// A random name for an address of this machine: one and the same for all who hold it at once.
  /// Thread-safe, also letting go of it, which may happen when the context is gone.
  [[nodiscard]] held_name hide(const base::ip_address& address);

  /// Datagrams from afar, which were dropped. Thread-safe.
  [[nodiscard]] std::uint64_t off_link() const { return off_link_; }

  void on_context_shutdown() noexcept override;

 private:
  struct channel;
  struct wish {
    mdns::resolution_id id{};
    callback done;
  };

  mdns_service(const boost::asio::any_io_executor& executor, base::logger log);
  std::shared_ptr<mdns_service> self();
  void start(std::uint64_t token, const std::string& name, callback done);
  void start_answering(std::string name, const base::ip_address& address, unsigned interface);
  void stop_answering(const std::string& name);
  void update();
  void send(const mdns::response& response);
  void deliver();
  void open();
  void close() noexcept;
  void listen(const std::shared_ptr<channel>& from);
  void receive(channel& from);
  [[nodiscard]] bool is_on_link(base::time_point now, const group_datagram& datagram);
  void arm();

  base::logger log_;
  guarded_strand strand_;
  mdns::querier querier_;
  mdns::responder responder_;
  std::map<std::uint64_t, wish> wishes_;
  std::vector<std::shared_ptr<channel>> channels_;
  std::unique_ptr<boost::asio::steady_timer> timer_;
  std::atomic<std::uint64_t> last_token_ = 0;
  std::atomic<std::uint64_t> off_link_ = 0;
  std::vector<system_address> links_;  ///< as they were lately
  base::time_point links_known_until_{};

  std::mutex hidden_mutex_;
  std::map<base::ip_address, std::weak_ptr<const std::string>> hidden_;
};

}  // namespace asiortc::io
