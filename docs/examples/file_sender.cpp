// Sends a file to somebody else in a room, no faster than the other side reads it.
//
//   file_sender ws://127.0.0.1:8765/ room send FILE
//   file_sender ws://127.0.0.1:8765/ room receive FILE
#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <cstdint>
#include <fstream>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio = boost::asio;

constexpr std::size_t part_size = 65536;  // any stack takes messages of so many bytes

// How much went through and what it was (FNV-1a): both sides print the same.
struct summary {
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0xcbf29ce484222325;

  void add(std::span<const std::uint8_t> part) {
    for (const std::uint8_t byte : part) hash = (hash ^ byte) * 0x100000001b3;
    bytes += part.size();
  }
};

asio::awaitable<summary> send(asiortc::peer_connection& connection, std::string path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  auto channel = connection.create_data_channel("file");
  // The other side never hears of a channel that is closed before this, as for an empty file.
  co_await channel.async_open();
  summary sent;
  for (;;) {
    std::vector<std::uint8_t> part(part_size);
    file.read(reinterpret_cast<char*>(part.data()), static_cast<std::streamsize>(part.size()));
    part.resize(static_cast<std::size_t>(file.gcount()));
    if (part.empty()) break;
    sent.add(part);
    co_await channel.async_send(std::move(part));  // waits while too much is under way
    const std::uint64_t arrived = sent.bytes - channel.buffered_amount();
    if (sent.bytes % (64 * part_size) == 0) std::cerr << arrived << " bytes arrived\n";
  }
  co_await channel.async_close();  // once all of it is sent, and the other side has closed too
  co_return sent;
}

// A channel that was closed in good order ends with no value; one whose connection was lost throws,
// so that half a file is not taken for a whole one.
asio::awaitable<summary> receive(asiortc::peer_connection& connection, std::string path) {
  auto channel = co_await connection.data_channels().async_next();
  if (!channel) throw std::runtime_error("the connection ended before the file came");
  std::ofstream file(path, std::ios::binary);
  summary received;
  for (;;) {
    auto part = co_await channel->async_receive();
    if (!part) break;
    received.add(part->bytes());
    file << part->text();
  }
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
  co_return received;
}

asio::awaitable<asiortc::peer_id> find_other(asiortc::signaling_client& room) {
  const auto present = room.peers();
  if (!present.empty()) co_return present.front().id;
  auto events = room.events();
  for (;;) {
    auto event = co_await events.async_next();
    if (!event) throw std::runtime_error("the room was closed");
    if (event->kind == asiortc::signaling_event_kind::peer_joined) co_return event->peer.id;
  }
}

asio::awaitable<void> transfer(std::string url, std::string where, bool sends, std::string path) {
  asiortc::signaling_client room(co_await asio::this_coro::executor);
  co_await room.async_connect(url);
  co_await room.async_join(where, sends ? "sender" : "receiver");
  const asiortc::peer_id other = co_await find_other(room);
  asiortc::configuration config;
  config.ice_servers = room.ice_servers();
  asiortc::peer_connection connection(co_await asio::this_coro::executor, config);
  auto session = asiortc::negotiate(connection, room.pipe_to(other));
  summary done;
  if (sends) {
    done = co_await send(connection, path);
  } else {
    done = co_await receive(connection, path);
  }
  std::cout << (sends ? "sent " : "received ") << done.bytes << " bytes, " << std::hex << done.hash
            << std::endl;
  co_await connection.async_close();
  co_await room.async_close();
}

int main(int argc, char** argv) {
  const std::string action = argc == 5 ? argv[3] : "";
  if (action != "send" && action != "receive") {
    std::cerr << "usage: file_sender URL ROOM send|receive FILE\n";
    return 2;
  }
  int status = 0;
  asio::io_context context;
  const auto report = [&](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& wrong) {
      std::cerr << "file_sender: " << wrong.what() << '\n';
      status = 1;
    }
  };
  asio::co_spawn(context, transfer(argv[1], argv[2], action == "send", argv[4]), report);
  context.run();
  return status;
}
