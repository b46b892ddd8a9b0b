// Guests of a room of the real server, each with a mesh that keeps itself.
#pragma once

#include "net/mesh_support.hpp"
#include "net/signaling_support.hpp"

#include <asiortc/room_mesh.hpp>

#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace asiortc::test {

using namespace std::chrono_literals;

inline room_mesh_options quick(const std::string& name) {
  room_mesh_options options;
  options.name = name;
  options.retry_min = 50ms;
  options.retry_max = 400ms;
  options.configuration.timeouts.close_drain = 2s;
  return options;
}

/// What a guest was told; it may outlive it.
struct record {
  std::vector<mesh_event> events;
  bool ended = false;
  boost::system::error_code end;

  [[nodiscard]] std::size_t count(mesh_event_kind kind, mesh_id id = 0) const {
    return static_cast<std::size_t>(std::ranges::count_if(events, [&](const mesh_event& each) {
      return each.kind == kind && (id == 0 || each.id == id);
    }));
  }
};

inline void follow(event_stream<mesh_event> stream, std::shared_ptr<record> told) {
  stream.async_next([stream, told](boost::system::error_code code, std::optional<mesh_event> next) {
    if (!next) {
      told->ended = true;
      told->end = code;
      return;
    }
    told->events.push_back(*next);
    follow(stream, told);
  });
}

struct guest {
  guest(asio::io_context& context, const std::string& url, room_mesh_options options)
      : net(context, std::move(options)) {
    follow(net.events(), told);
    net.async_join(url, "tea",
                   [result = joined](boost::system::error_code code) { *result = code; });
  }

  /// Those that are connected, by their ids.
  [[nodiscard]] std::vector<mesh_id> peers() const {
    std::vector<mesh_id> ids;
    for (const auto& peer : net.get_peers()) {
      if (peer.connected) ids.push_back(peer.id);
    }
    return ids;
  }
  [[nodiscard]] std::string heard() {
    const auto packet = net.try_receive();
    return packet ? std::string(packet->text()) : std::string();
  }

  room_mesh net;
  std::shared_ptr<record> told = std::make_shared<record>();
  std::shared_ptr<std::optional<boost::system::error_code>> joined =
      std::make_shared<std::optional<boost::system::error_code>>();
};

struct tea_room {
  tea_room() { serve(on_any_port()); }
  ~tea_room() {
    guests.clear();
    stop_serving();
  }

  void serve(const signaling_server_options& options) {
    server.emplace(context.get_executor(), options);
    server->listen();
    url = server->url();
  }
  void stop_serving() {
    if (!server) return;
    CHECK_FALSE(await_code(context, [&](auto done) { server->async_close(done); }));
    server.reset();
  }
  guest& invite(const std::string& name) { return invite_by(url, quick(name)); }
  guest& invite_by(const std::string& address, room_mesh_options options) {
    guests.push_back(std::make_unique<guest>(context, address, std::move(options)));
    return *guests.back();
  }

  void join(signaling_client& client, const std::string& name) {
    REQUIRE_FALSE(
        await_code(context, [&](auto done) { client.async_connect(url, std::move(done)); }));
    REQUIRE_FALSE(
        await_code(context, [&](auto done) { client.async_join("tea", name, std::move(done)); }));
  }

  /// Every guest is connected to every other, under its id of now, and to nobody else.
  [[nodiscard]] bool all_meet() const {
    return std::ranges::all_of(guests, [&](const auto& each) {
      std::vector<mesh_id> others;
      for (const auto& other : guests) {
        if (other != each) others.push_back(other->net.id());
      }
      std::ranges::sort(others);
      return each->net.id() != 0 && each->peers() == others &&
             each->net.members().size() == others.size();
    });
  }
  bool wait_until_all_meet() {
    return run_until(context, [this] { return all_meet(); });
  }

  /// Each says something to all, and all hear it of each.
  void talk() {
    for (const auto& each : guests) {
      each->net.async_send(0, bytes_of("I am " + std::to_string(each->net.id())),
                           transfer_mode::reliable,
                           [](boost::system::error_code code) { CHECK_FALSE(code); });
    }
    for (const auto& each : guests) {
      std::vector<mesh_id> heard_of;
      CHECK(run_until(context, [&] {
        while (const auto packet = each->net.try_receive()) {
          CHECK(packet->text() == "I am " + std::to_string(packet->from));
          heard_of.push_back(packet->from);
        }
        return heard_of.size() == guests.size() - 1;
      }));
      std::ranges::sort(heard_of);
      CHECK(heard_of == each->peers());
    }
  }

  /// The guest was or will be told this so often, and no more by then.
  void expect_told(const guest& one, mesh_event_kind kind, mesh_id id, std::size_t times) {
    CAPTURE(to_string(kind));
    CHECK(run_until(context, [&] { return one.told->count(kind, id) >= times; }));
    CHECK(one.told->count(kind, id) == times);
  }

  boost::system::error_code close(guest& one) {
    return await_code(context, [&](auto done) { one.net.async_close(std::move(done)); });
  }

  asio::io_context context{1};
  std::optional<signaling_server> server;
  std::string url;
  std::vector<std::unique_ptr<guest>> guests;
};

/// Passes on what one client and the server say to each other, until it is cut; and says what our
/// server never does, which has no hosts.
class wire : public std::enable_shared_from_this<wire> {
 public:
  wire(asio::io_context& context, std::uint16_t server)
      : server_(asio::ip::address_v4::loopback(), server),
        acceptor_(context, {asio::ip::address_v4::loopback(), 0}),
        client_side_(context),
        server_side_(context) {}

  std::string url() const {
    return "ws://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/";
  }
  void accept() {
    acceptor_.async_accept(client_side_, [self = shared_from_this()](error_code failed) {
      if (failed) return;
      self->server_side_.connect(self->server_);
      pass_on(self, self->client_side_, self->server_side_, self->to_server_);
      pass_on(self, self->server_side_, self->client_side_, self->to_client_);
    });
  }
  /// A WebSocket frame of the server's (RFC 6455 5.2).
  void say(const json& content) {
    const std::string text = content.dump();
    REQUIRE(text.size() < 126);
    asio::write(client_side_,
                asio::buffer(std::string{'\x81', static_cast<char>(text.size())} + text));
  }
  /// Of what the server has said.
  [[nodiscard]] int last_seq() const {
    const auto at = said_.rfind("\"seq\":");
    return at == std::string::npos ? 0 : std::stoi(said_.substr(at + 6));
  }
  void cut() {
    client_side_.close();
    server_side_.close();
  }
  void close() {
    acceptor_.close();
    cut();
  }

 private:
  using socket = asio::ip::tcp::socket;
  using buffer = std::array<char, 4096>;

  static void pass_on(const std::shared_ptr<wire>& self, socket& from, socket& to, buffer& bytes) {
    from.async_read_some(asio::buffer(bytes),
                         [self, &from, &to, &bytes](error_code ended, std::size_t size) {
                           if (ended) return;
                           if (&from == &self->server_side_) self->said_.append(bytes.data(), size);
                           error_code failed;
                           asio::write(to, asio::buffer(bytes, size), failed);
                           if (!failed) pass_on(self, from, to, bytes);
                         });
  }

  asio::ip::tcp::endpoint server_;
  asio::ip::tcp::acceptor acceptor_;
  socket client_side_;
  socket server_side_;
  buffer to_server_{};
  buffer to_client_{};
  std::string said_;
};

}  // namespace asiortc::test
