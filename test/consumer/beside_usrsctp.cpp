// The system's usrsctp and ours in one program: two peers talk while the program uses, and then
// ends, the other copy.
#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>
#include <usrsctp.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace asio = boost::asio;

namespace {

int packets_of_theirs = 0;

int send_packet(void*, void*, std::size_t, std::uint8_t, std::uint8_t) {
  ++packets_of_theirs;
  return 0;
}

/// Connects an association of the program's own usrsctp to nowhere, which sends its INIT.
bool use_theirs() {
  struct socket* socket =
      usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr);
  if (!socket) return false;
  usrsctp_set_non_blocking(socket, 1);
  usrsctp_register_address(&packets_of_theirs);
  sockaddr_conn address{};
  address.sconn_family = AF_CONN;
  address.sconn_port = htons(5000);
  address.sconn_addr = &packets_of_theirs;
  usrsctp_bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address);
  usrsctp_connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address);
  usrsctp_close(socket);
  usrsctp_deregister_address(&packets_of_theirs);
  return packets_of_theirs > 0;
}

asio::awaitable<void> answer(asiortc::peer_connection& connection) {
  auto channel = co_await connection.data_channels().async_next(asio::use_awaitable);
  while (auto received = co_await channel->async_receive(asio::use_awaitable)) {
    std::string reply = "you said: " + std::string(received->text());
    co_await channel->async_send(reply, asio::use_awaitable);
  }
}

asio::awaitable<void> call(asiortc::peer_connection& connection, std::string& reply) {
  auto chat = connection.create_data_channel("chat");
  std::string hello = "hello";
  co_await chat.async_send(hello, asio::use_awaitable);
  auto received = co_await chat.async_receive(asio::use_awaitable);
  if (received) reply = received->text();
  usrsctp_finish();  // theirs; ours goes on
  co_await connection.async_close(asio::use_awaitable);
}

}  // namespace

int main() {
  usrsctp_init_nothreads(0, send_packet, nullptr);
  if (!use_theirs()) {
    std::fprintf(stderr, "the system's usrsctp sent nothing\n");
    return 1;
  }
  asio::io_context context;
  asiortc::peer_connection alice{context}, bob{context};
  auto [near, far] = asiortc::make_signaling_pipe_pair(context.get_executor());
  auto alices_session = asiortc::negotiate(alice, near);
  auto bobs_session = asiortc::negotiate(bob, far);
  std::string reply;
  asio::co_spawn(context, call(alice, reply), asio::detached);
  asio::co_spawn(context, answer(bob), [&](std::exception_ptr) { bob.close(); });
  context.run_for(std::chrono::seconds(20));
  if (reply != "you said: hello") {
    std::fprintf(stderr, "the peers did not talk: '%s'\n", reply.c_str());
    return 1;
  }
  std::puts("both copies of usrsctp work");
}
