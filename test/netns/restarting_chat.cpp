// A chat for two through TURN servers alone, whose input says when ICE is to restart:
//   restarting_chat SIGNALING_URL ROOM NAME TURN_URL USER PASSWORD CA_FILE
// Each line of the input is said to the other side, but for `/restart`. What the other side says
// goes to standard output, and what happens to standard error, as peer_cli tells it.
#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>

namespace {

namespace asio = boost::asio;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

void tell(const std::string& what) { std::cerr << "* " + what + '\n'; }

asiortc::configuration relayed(char** words) {
  asiortc::configuration config;
  config.ice_servers.emplace_back(words[4]);
  config.ice_servers.back().username = words[5];
  config.ice_servers.back().credential = words[6];
  std::ifstream trusted(words[7]);
  config.turn_trusted_certificates.assign(std::istreambuf_iterator<char>(trusted), {});
  config.ice_transport_policy = asiortc::ice_transport_policy::relay;
  return config;
}

/// Whoever is there or comes first, and whether it was there.
asio::awaitable<std::optional<asiortc::signaling_peer>> find_other(asiortc::signaling_client& room,
                                                                   bool& was_there) {
  const auto present = room.peers();
  was_there = !present.empty();
  if (was_there) co_return present.front();
  const auto events = room.events();
  const auto event = co_await events.async_next();
  if (!event) co_return std::nullopt;
  co_return event->peer;
}

struct session {
  session(const asio::any_io_executor& executor, const asiortc::configuration& config,
          std::shared_ptr<asiortc::signaling_pipe> pipe, std::string name_of_other)
      : connection(executor, config),
        negotiation(asiortc::negotiate(connection, std::move(pipe))),
        other(std::move(name_of_other)) {}

  asiortc::peer_connection connection;
  asiortc::negotiation negotiation;
  std::string other;
};

asio::awaitable<void> tell_states(std::shared_ptr<session> with) {
  const auto states = with->connection.connection_states();
  for (;;) {
    auto [ended, change] = co_await states.async_next(as_result);
    if (!change) co_return;
    std::string line = with->other + ": " + std::string(to_string(change->state));
    line += " (" + change->reason.message() + ") " + change->detail;
    tell(line);
  }
}

asio::awaitable<void> tell_errors(std::shared_ptr<session> with) {
  const auto errors = with->connection.ice_candidate_errors();
  for (;;) {
    auto [ended, error] = co_await errors.async_next(as_result);
    if (!error) co_return;
    tell("turn: " + error->url + ": " + error->text);
  }
}

asio::awaitable<void> hear(asiortc::data_channel& chat, std::string from) {
  for (;;) {
    auto [ended, said] = co_await chat.async_receive(as_result);
    if (!said) co_return;
    std::cout << from + ": " + std::string(said->text()) + '\n' << std::flush;
  }
}

/// To the end of the input, and until the other side has all of it.
asio::awaitable<void> say_all(session& with, asiortc::data_channel& chat) {
  asio::posix::stream_descriptor input(co_await asio::this_coro::executor, ::dup(STDIN_FILENO));
  std::string waiting;
  for (;;) {
    auto [ended, size] =
        co_await asio::async_read_until(input, asio::dynamic_buffer(waiting), '\n', as_result);
    if (ended) break;
    std::string line = waiting.substr(0, size - 1);
    waiting.erase(0, size);
    const bool restart = line == "/restart";
    if (restart) {
      with.connection.restart_ice();
      tell("ICE restarts");
    } else {
      co_await chat.async_send(std::move(line));
    }
  }
  co_await chat.async_flush(as_result);
}

asio::awaitable<asiortc::data_channel> open_chat(session& with, bool newcomer) {
  if (newcomer) {
    auto chat = with.connection.create_data_channel("chat");
    co_await chat.async_open();
    co_return chat;
  }
  const auto channels = with.connection.data_channels();
  auto chat = co_await channels.async_next();
  if (!chat) throw std::runtime_error("the connection ended before the chat was open");
  co_return std::move(*chat);
}

asio::awaitable<void> visit(char** words) {
  const auto executor = co_await asio::this_coro::executor;
  asiortc::signaling_client room(executor);
  std::string url = words[1], room_name = words[2], name = words[3];
  co_await room.async_connect(url);
  co_await room.async_join(room_name, name);
  tell("joined");
  bool newcomer = false;
  const auto other = co_await find_other(room, newcomer);
  if (!other) throw std::runtime_error("the room ended");
  const auto with =
      std::make_shared<session>(executor, relayed(words), room.pipe_to(other->id), other->name);
  asio::co_spawn(executor, tell_states(with), asio::detached);
  asio::co_spawn(executor, tell_errors(with), asio::detached);
  auto chat = co_await open_chat(*with, newcomer);
  tell(with->other + ": chat is open");
  asio::co_spawn(executor, hear(chat, with->other), asio::detached);
  co_await say_all(*with, chat);
  co_await with->connection.async_close();
  co_await room.async_close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) return 2;
  int status = 0;
  asio::io_context context(1);
  asio::co_spawn(context, visit(argv), [&](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& wrong) {
      tell(wrong.what());
      status = 1;
    }
    context.stop();
  });
  context.run();
  return status;
}
