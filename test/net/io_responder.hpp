// An mDNS responder for one name.
#pragma once

#include "io/multicast_socket.hpp"
#include "mdns/message.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <array>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>

namespace asiortc::test {

/// Answers for one name by multicast, from the shared port.
class responder {
 public:
  responder(boost::asio::io_context& context, std::string name, std::string_view address)
      : socket_(*io::open_multicast_socket(io::ip_family::v4)),
        descriptor_(context, socket_.fd.release()),
        name_(std::move(name)),
        address_(*base::ip_address::parse(address)) {
    serve();
  }

  [[nodiscard]] int queries() const { return queries_; }

 private:
  void serve() {
    descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                           [this](boost::system::error_code error) {
                             if (error) return;
                             answer();
                             serve();
                           });
  }

  void answer() {
    std::array<std::uint8_t, 1500> buffer;
    const auto length =
        ::recv(descriptor_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (length <= 0) return;
    const auto query = mdns::parse_message({buffer.data(), static_cast<std::size_t>(length)});
    if (!query || query->response) return;
    for (const auto& question : query->questions) {
      if (question.name != name_ || question.type != mdns::record_type::a) continue;
      ++queries_;
      mdns::message reply;
      reply.response = true;
      reply.addresses.push_back({name_, address_, 120, true});
      io::send_to_group(descriptor_.native_handle(), io::ip_family::v4, socket_.interfaces,
                        mdns::write_message(reply));
    }
  }

  io::multicast_socket socket_;
  boost::asio::posix::stream_descriptor descriptor_;
  std::string name_;
  base::ip_address address_;
  int queries_ = 0;
};

}  // namespace asiortc::test
