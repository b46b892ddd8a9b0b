#include "room.hpp"

#include "tuple_token.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <random>
#include <stdexcept>
#include <utility>

namespace peer_cli {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::uint16_t local_port = 8765;
/// For a process on this machine; past it, whatever holds the port is no signaling server.
constexpr std::chrono::seconds local_patience(3);

/// For the others to answer the close of the server that ends with us; those that answer find
/// another.
constexpr std::chrono::milliseconds farewell(500);

std::string local_url() { return "ws://127.0.0.1:" + std::to_string(local_port) + "/"; }

/// Two processes that start together must not step on each other's toes in step.
std::chrono::milliseconds short_while() {
  static std::minstd_rand engine{std::random_device{}()};
  return std::chrono::milliseconds(std::uniform_int_distribution<int>(10, 80)(engine));
}

std::string reason_of(const asiortc::signaling_client& client, error_code code) {
  std::string refusal = client.refusal();
  if (!refusal.empty()) return refusal;
  if (code == asiortc::errc::not_supported) return "TLS is not supported, only ws://";
  if (code == asiortc::errc::syntax_error) return "expected ws://HOST[:PORT][/PATH]";
  if (code == asiortc::errc::limit_reached) return "the room is too crowded";
  if (code == asiortc::errc::signaling_refused) return "what answers is no signaling server";
  return code.message();
}

no_entrance refusal_at(const std::string& url, const asiortc::signaling_client& client,
                       error_code code) {
  const bool wrong_url =
      code == asiortc::errc::syntax_error || code == asiortc::errc::not_supported;
  return no_entrance(url + ": " + reason_of(client, code),
                     wrong_url ? exit_code::usage : exit_code::no_server);
}

}  // namespace

room_entrance::room_entrance(asio::any_io_executor executor, std::optional<std::string> server,
                             std::string room, std::string name)
    : executor_(std::move(executor)),
      server_url_(std::move(server)),
      room_(std::move(room)),
      name_(std::move(name)) {}

std::string room_entrance::url() const { return server_url_.value_or(local_url()); }

asio::awaitable<asiortc::signaling_client> room_entrance::enter() {
  if (server_url_) {
    auto client = co_await enter_at(*server_url_);
    co_return client;
  }
  const auto give_up = std::chrono::steady_clock::now() + local_patience;
  while (std::chrono::steady_clock::now() < give_up) {
    auto client = co_await try_local();
    if (client) co_return std::move(*client);
    asio::steady_timer pause(executor_, short_while());
    co_await pause.async_wait(asio::use_awaitable);
  }
  // Where it can be had now, it was not for want of a free port.
  if (serve()) throw no_entrance(local_url() + ": " + last_refusal_.message());
  throw no_entrance(local_url() + ": the port is taken, but no signaling server answers there");
}

asio::awaitable<asiortc::signaling_client> room_entrance::enter_at(std::string url) {
  asiortc::signaling_client client(executor_);
  auto [not_connected] = co_await client.async_connect(url, tuple_token);
  if (not_connected) throw refusal_at(url, client, not_connected);
  auto [not_joined] = co_await client.async_join(room_, name_, tuple_token);
  if (not_joined) throw refusal_at(url, client, not_joined);
  co_return client;
}

// Nothing means that somebody was faster, or is just leaving: it is worth another look.
asio::awaitable<std::optional<asiortc::signaling_client>> room_entrance::try_local() {
  asiortc::signaling_client_options patience;
  patience.connect_timeout = patience.join_timeout = local_patience;
  asiortc::signaling_client client(executor_, patience);
  auto [refused] = co_await client.async_connect(local_url(), tuple_token);
  if (refused == asio::error::connection_refused) {
    server_.reset();
    if (!serve()) co_return std::nullopt;
    client = asiortc::signaling_client(executor_, patience);
    auto [own_refused] = co_await client.async_connect(local_url(), tuple_token);
    refused = own_refused;
  }
  if (!refused) {
    auto [not_joined] = co_await client.async_join(room_, name_, tuple_token);
    refused = not_joined;
  }
  if (refused == asiortc::errc::signaling_refused) throw refusal_at(local_url(), client, refused);
  last_refusal_ = refused;
  if (refused) co_return std::nullopt;
  co_return std::move(client);
}

bool room_entrance::serve() {
  asiortc::signaling_server_options options;
  options.port = local_port;
  options.close_timeout = farewell;
  server_.emplace(executor_, options);
  try {
    server_->listen();
  } catch (const boost::system::system_error& taken) {
    server_.reset();
    if (taken.code() == asio::error::address_in_use) return false;
    throw no_entrance(local_url() + ": " + taken.code().message());
  }
  return true;
}

asio::awaitable<void> room_entrance::leave() {
  if (server_) co_await server_->async_close(asio::use_awaitable);
  server_.reset();
}

}  // namespace peer_cli
