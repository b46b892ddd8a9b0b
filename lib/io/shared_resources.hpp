// What the peers of one execution context share, made by the first and gone with the last.
#pragma once

#include "base/packet.hpp"
#include "io/interface_watch.hpp"
#include "io/mdns_service.hpp"
#include "io/receive_buffers.hpp"
#include "io/sctp_ticker.hpp"

#include <asiortc/name_resolver.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace asiortc::io {

/// Memory for one turn of one peer: what comes in, what goes out, and which routes failed.
struct turn_memory {
  receive_buffers receive;
  std::vector<base::datagram> inbound;  ///< of a mux
  base::packet_batch transmit;
  std::vector<base::route> failed;
};

/// Thread-safe. Each part closes its sockets and timers itself while it has nothing to do.
class shared_resources final : public std::enable_shared_from_this<shared_resources> {
 public:
  /// Those of the context behind `executor`.
  static std::shared_ptr<shared_resources> of(const boost::asio::any_io_executor& executor);

  explicit shared_resources(const boost::asio::any_io_executor& executor);

  struct give_back {
    std::shared_ptr<shared_resources> owner;
    void operator()(turn_memory* memory) const;
  };
  using borrowed_memory = std::unique_ptr<turn_memory, give_back>;

  /// As many exist as threads run peers at once.
  [[nodiscard]] borrowed_memory borrow();

  [[nodiscard]] mdns_service& mdns() { return *mdns_; }
  [[nodiscard]] name_resolver& resolver() { return *resolver_; }
  [[nodiscard]] interface_watch& interfaces() { return *interfaces_; }
  [[nodiscard]] sctp_ticker& ticker() { return *ticker_; }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<turn_memory>> free_;
  std::shared_ptr<mdns_service> mdns_;
  std::shared_ptr<name_resolver> resolver_;
  std::shared_ptr<interface_watch> interfaces_;
  std::shared_ptr<sctp_ticker> ticker_;
};

}  // namespace asiortc::io
