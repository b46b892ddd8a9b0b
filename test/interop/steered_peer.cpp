// The native side of the cases that run against every stack: peer connections that do what lines of
// JSON on standard input tell, until that ends. `steered.js` says what the lines are.
#include "steered_connection.hpp"

#include <boost/asio.hpp>

#include <iostream>
#include <map>
#include <string>

namespace {

namespace asio = boost::asio;
using interop::json;

void say(const json& line) { std::cout << line.dump() + '\n' << std::flush; }

class steered_peers {
 public:
  explicit steered_peers(asio::any_io_executor executor) : executor_(std::move(executor)) {}

  asio::awaitable<void> hear(std::string line) {
    json answer;
    try {
      const auto told = json::parse(line);
      answer["id"] = told.at("id");
      auto result = co_await carry_out(told);
      answer["result"] = std::move(result);
    } catch (const std::exception& failed) {
      answer["error"] = failed.what();
    }
    say(answer);
  }

 private:
  asio::awaitable<json> carry_out(json told) {
    const auto number = told.at("peer").get<int>();
    if (told.at("do") == "make") {
      make(number, told);
      co_return nullptr;
    }
    const auto connection = connections_.at(number);
    auto result = co_await connection->carry_out(told);
    co_return result;
  }

  void make(int number, const json& how) {
    auto made = std::make_shared<interop::steered_connection>(executor_, how);
    made->start([number](const std::string& data) {
      json line;
      line["peer"] = number;
      line["signal"] = json::parse(data);
      say(line);
    });
    connections_.emplace(number, std::move(made));
  }

  asio::any_io_executor executor_;
  std::map<int, std::shared_ptr<interop::steered_connection>> connections_;
};

asio::awaitable<void> serve(steered_peers& peers) {
  const auto executor = co_await asio::this_coro::executor;
  asio::posix::stream_descriptor input(executor, STDIN_FILENO);
  std::string text;
  auto buffer = asio::dynamic_buffer(text);
  for (;;) {
    const auto [ended, size] =
        co_await asio::async_read_until(input, buffer, '\n', asio::as_tuple(asio::use_awaitable));
    if (ended) break;
    asio::co_spawn(executor, peers.hear(text.substr(0, size)), asio::detached);
    buffer.consume(size);
  }
}

}  // namespace

int main() {
  asio::io_context context(1);
  steered_peers peers(context.get_executor());
  asio::co_spawn(context, serve(peers), [&](std::exception_ptr) { context.stop(); });
  context.run();
}
