// STUN and TURN servers as seen by peers that share one port.
#include "ice/check_message.hpp"
#include "io/clock.hpp"
#include "net/mux_support.hpp"
#include "stun/message_builder.hpp"
#include "stun/message_view.hpp"
#include "support/turn_server.hpp"

#include <doctest/doctest.h>

#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace asiortc::test {
namespace {

using udp = asio::ip::udp;

base::endpoint to_base(const udp::endpoint& from) {
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

  udp::socket socket_;
  udp::endpoint from_;
  std::array<std::uint8_t, 2048> buffer_{};
};

/// Each asker is shown as 198.51.100.7, as behind one NAT. Answers come in the order of the
/// questions turned round, so that whose they are cannot be told by their order.
struct stun_server {
  explicit stun_server(asio::io_context& context) : socket(context) {
    socket.handle = [this](const base::endpoint& from, base::byte_span bytes) {
      const auto request = stun::message_view::parse(bytes);
      if (!request) return;
      askers.insert(from.port);
      stun::message_builder answer(stun::message_class::success, stun::method::binding,
                                   request->transaction());
      answer.add_xor_address(
          stun::attribute_type::xor_mapped_address,
          {*base::ip_address::parse("198.51.100.7"), static_cast<std::uint16_t>(7000 + answered)});
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

asio::awaitable<void> gather(peer_connection& peer, std::set<std::string>& reflexive) {
  auto candidates = peer.ice_candidates();
  auto channel = peer.create_data_channel("any");
  co_await peer.async_set_local_description();
  for (;;) {
    auto candidate = co_await candidates.async_next();
    REQUIRE(candidate.has_value());
    const std::string text = candidate->candidate;
    if (text.empty()) co_return;
    if (text.find("198.51.100.7") != std::string::npos) reflexive.insert(text);
  }
}

}  // namespace

TEST_CASE("peers on one port that ask one server at once each get their own answer") {
  asio::io_context context;
  stun_server server(context);
  const auto mux = make_mux(context.get_executor(), "127.0.0.1");
  auto config = through(mux);
  config.ice_servers.emplace_back(server.socket.url("stun"));
  constexpr std::size_t count = 10;
  server.batch = count;
  std::deque<peer_connection> peers;
  std::vector<std::set<std::string>> reflexive(count);
  std::size_t done = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto& peer = peers.emplace_back(context.get_executor(), config);
    asio::co_spawn(context, gather(peer, reflexive[i]), [&](std::exception_ptr thrown) {
      CHECK_FALSE(thrown);
      ++done;
    });
  }
  while (done < count && context.run_one() != 0) {
  }
  std::set<std::string> all;
  for (const auto& each : reflexive) {
    CHECK(each.size() == 1);
    all.insert(each.begin(), each.end());
  }
  CHECK(all.size() == count);
  CHECK(server.askers == std::set<std::uint16_t>{mux->port()});
  CHECK(mux->counters().unknown_dropped == 0);
  CHECK(mux->counters().remote_addresses == 0);  // a server is no peer
}

TEST_CASE("each peer asks a TURN server from a port of its own, and the data goes through it") {
  asio::io_context context;
  served_socket socket(context);
  turn_server server{turn_server_settings()};
  std::set<std::uint16_t> clients;
  server.to_client = [&](const base::endpoint& client, base::byte_span bytes) {
    clients.insert(client.port);
    socket.send(client, bytes);
  };
  // Who is sent to from a relayed address has one too.
  server.to_peer = [&](const base::endpoint& relayed, const base::endpoint& peer,
                       base::byte_span bytes) {
    const base::bytes copy(bytes.begin(), bytes.end());
    asio::post(context, [&, relayed, peer, copy] {
      server.handle_peer(io::clock_now(), peer, relayed, copy);
    });
  };
  socket.handle = [&](const base::endpoint& from, base::byte_span bytes) {
    server.handle_client(io::clock_now(), from, bytes);
  };
  const auto mux = make_mux(context.get_executor(), "127.0.0.1");
  auto config = through(mux);
  config.ice_transport_policy = ice_transport_policy::relay;
  ice_server turn(socket.url("turn"));
  turn.username = server.settings().username;
  turn.credential = server.settings().password;
  config.ice_servers.push_back(turn);
  peer_pair pair(context.get_executor(), config);
  asio::co_spawn(context, echo(pair.second), [](std::exception_ptr) {});
  run(context, exchange(pair.first, "relayed", 5));
  const auto selected = pair.first.selected_candidate_pair();
  REQUIRE(selected.has_value());
  CHECK(selected->local.type == candidate_type::relayed);
  CHECK(clients.size() >= 2);
  CHECK_FALSE(clients.contains(mux->port()));
  run(context, close_pair(pair));
}

}  // namespace asiortc::test
