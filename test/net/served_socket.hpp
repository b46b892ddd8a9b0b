// STUN and TURN servers on sockets of loopback, in the program that tests.
#pragma once

#include "ice/check_message.hpp"
#include "io/clock.hpp"
#include "stun/message_builder.hpp"
#include "stun/message_view.hpp"
#include "support/turn_server.hpp"

#include <asiortc/configuration.hpp>

#include <boost/asio.hpp>

#include <array>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace asiortc::test {

namespace asio = boost::asio;

inline base::endpoint to_base(const asio::ip::udp::endpoint& from) {
  return {base::ip_address::v4(from.address().to_v4().to_bytes()), from.port()};
}

/// A socket on loopback whose datagrams go to a function.
class served_socket {
 public:
  explicit served_socket(asio::io_context& context)
      : socket_(context, {asio::ip::address_v4::loopback(), 0}) {
    receive();
  }

  [[nodiscard]] std::string url(const std::string& scheme) const {
    return scheme + ":127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
  }
  void send(const base::endpoint& to, base::byte_span bytes) {
    socket_.send_to(asio::buffer(bytes.data(), bytes.size()),
                    {asio::ip::address_v4::loopback(), to.port});
  }
  void close() { socket_.close(); }

  std::function<void(const base::endpoint&, base::byte_span)> handle;

 private:
  void receive() {
    socket_.async_receive_from(asio::buffer(buffer_), from_,
                               [this](boost::system::error_code error, std::size_t size) {
                                 if (error) return;
                                 handle(to_base(from_), base::byte_span(buffer_).first(size));
                                 receive();
                               });
  }

  asio::ip::udp::socket socket_;
  asio::ip::udp::endpoint from_;
  std::array<std::uint8_t, 2048> buffer_{};
};

/// Each asker is shown as one address, as behind one NAT. Answers come in the order of the
/// questions turned round, so that whose they are cannot be told by their order.
struct stun_server {
  explicit stun_server(asio::io_context& context, const std::string& shown = "198.51.100.7")
      : socket(context) {
    socket.handle = [this, shown](const base::endpoint& from, base::byte_span bytes) {
      const auto request = stun::message_view::parse(bytes);
      if (!request) return;
      askers.insert(from.port);
      stun::message_builder answer(stun::message_class::success, stun::method::binding,
                                   request->transaction());
      answer.add_xor_address(
          stun::attribute_type::xor_mapped_address,
          {*base::ip_address::parse(shown), static_cast<std::uint16_t>(7000 + answered)});
      ++answered;
      waiting.emplace_back(from, std::move(answer).take());
      if (waiting.size() < batch) return;
      for (auto each = waiting.rbegin(); each != waiting.rend(); ++each) {
        socket.send(each->first, each->second);
      }
      waiting.clear();
    };
  }

  served_socket socket;
  std::set<std::uint16_t> askers;
  int answered = 0;
  std::size_t batch = 1;
  std::vector<std::pair<base::endpoint, base::bytes>> waiting;
};

/// Servers whose relayed addresses reach each other.
using turn_internet = std::map<base::ip_address, turn_server*>;

/// A TURN server that lends ports of one address.
struct served_turn {
  served_turn(asio::io_context& context, turn_internet& all, const std::string& relay)
      : socket(context), server(settings_of(relay)) {
    all[server.settings().relay_v4] = &server;
    server.to_client = [this](const base::endpoint& client, base::byte_span bytes) {
      clients.insert(client.port);
      socket.send(client, bytes);
    };
    server.to_peer = [&context, &all](const base::endpoint& relayed, const base::endpoint& peer,
                                      base::byte_span bytes) {
      const base::bytes copy(bytes.begin(), bytes.end());
      asio::post(context, [&all, relayed, peer, copy] {
        const auto owner = all.find(peer.address);
        if (owner == all.end()) return;
        owner->second->handle_peer(io::clock_now(), peer, relayed, copy);
      });
    };
    socket.handle = [this](const base::endpoint& from, base::byte_span bytes) {
      server.handle_client(io::clock_now(), from, bytes);
    };
  }

  [[nodiscard]] ice_server entry() {
    ice_server made(socket.url("turn"));
    made.username = server.settings().username;
    made.credential = server.settings().password;
    return made;
  }

  served_socket socket;
  turn_server server;
  std::set<std::uint16_t> clients;  ///< ports that it was asked from

 private:
  static turn_server_settings settings_of(const std::string& relay) {
    turn_server_settings made;
    made.relay_v4 = *base::ip_address::parse(relay);
    return made;
  }
};

}  // namespace asiortc::test
