// A chat between terminals: each line that is typed goes to everybody who is in the room.
//
//   signaling_server                               (in one terminal)
//   chat ws://127.0.0.1:8765/ tea alice            (in a second)
//   chat ws://127.0.0.1:8765/ tea bob              (in a third; Ctrl-D leaves)
#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <cctype>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>

namespace asio = boost::asio;

struct contact {
  contact(const asio::any_io_executor& executor, asiortc::configuration config)
      : connection(executor, std::move(config)) {}

  asiortc::peer_connection connection;
  asiortc::data_channel channel;
};

struct chat {
  explicit chat(const asio::any_io_executor& executor) : room(executor) {}

  asiortc::signaling_client room;
  std::map<asiortc::peer_id, std::shared_ptr<contact>> contacts;
};

// What others send is not to steer this terminal.
std::string printable(std::string_view text) {
  std::string shown(text);
  for (char& each : shown) {
    if (std::iscntrl(static_cast<unsigned char>(each)) != 0) each = '?';
  }
  return shown;
}

// Connects to somebody in the room and prints what comes from there, until one of the two leaves.
asio::awaitable<void> meet(chat& all, asiortc::signaling_peer other) {
  asiortc::configuration config;
  config.ice_servers = all.room.ice_servers();
  const auto executor = co_await asio::this_coro::executor;
  auto mine = std::make_shared<contact>(executor, config);
  if (!all.contacts.emplace(other.id, mine).second) co_return;  // we have met already
  auto session = asiortc::negotiate(mine->connection, all.room.pipe_to(other.id));
  asiortc::data_channel_init both_make_it;  // so that neither waits for the other to open it
  both_make_it.negotiated = true;
  both_make_it.id = std::uint16_t{0};
  mine->channel = mine->connection.create_data_channel("chat", both_make_it);
  const std::string name = printable(other.name);
  try {
    co_await mine->channel.async_open();
    std::cout << "* " << name << " is here" << std::endl;
    for (;;) {
      auto line = co_await mine->channel.async_receive();
      if (!line) break;
      std::cout << name << ": " << printable(line->text()) << std::endl;
    }
    std::cout << "* " << name << " has left" << std::endl;
  } catch (const boost::system::system_error& ended) {
    std::cout << "* " << name << " is gone: " << ended.code().message() << std::endl;
  }
  all.contacts.erase(other.id);
}

asio::awaitable<void> welcome(chat& all) {
  const auto executor = co_await asio::this_coro::executor;
  for (const auto& present : all.room.peers()) {
    asio::co_spawn(executor, meet(all, present), asio::detached);
  }
  auto events = all.room.events();
  for (;;) {
    auto event = co_await events.async_next();
    if (!event) break;
    const bool joined = event->kind == asiortc::signaling_event_kind::peer_joined;
    if (joined) asio::co_spawn(executor, meet(all, event->peer), asio::detached);
  }
}

// Sends what is typed. Awaiting the sends is back-pressure: while they wait nothing more is read.
asio::awaitable<void> type(chat& all) {
  const auto quietly = asio::as_tuple(asio::deferred);
  asio::posix::stream_descriptor input(co_await asio::this_coro::executor, ::dup(STDIN_FILENO));
  std::string typed;
  for (;;) {
    auto [end, size] =
        co_await asio::async_read_until(input, asio::dynamic_buffer(typed, 16384), '\n', quietly);
    if (end) break;
    const std::string line = typed.substr(0, size - 1);
    typed.erase(0, size);
    const auto contacts = all.contacts;  // who comes and goes meanwhile changes the map
    for (const auto& [id, each] : contacts) co_await each->channel.async_send(line, quietly);
  }
}

asio::awaitable<void> visit(chat& all, std::string url, std::string room, std::string name) {
  const auto executor = co_await asio::this_coro::executor;
  co_await all.room.async_connect(url);
  co_await all.room.async_join(room, name);
  asio::co_spawn(executor, welcome(all), asio::detached);
  co_await type(all);
  const auto contacts = all.contacts;
  for (const auto& [id, each] : contacts) {
    each->channel.close();  // once all is sent, so that the others read an end in good order
    co_await each->connection.async_close();
  }
  co_await all.room.async_close();
}

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::cerr << "usage: chat URL ROOM NAME\n";
    return 2;
  }
  asio::io_context context;
  chat all(context.get_executor());
  asio::co_spawn(context, visit(all, argv[1], argv[2], argv[3]), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);  // out of run()
  });
  context.run();
} catch (const std::exception& wrong) {
  std::cerr << "chat: " << wrong.what() << '\n';
  return 1;
}
