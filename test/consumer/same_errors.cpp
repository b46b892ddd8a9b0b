// A header-only Asio program: an error that comes out of the library is the program's own. Asio's
// error categories are statics of inline functions and compare by address, so this fails where the
// library has them a second time.
#include <asiortc/name_resolver.hpp>
#include <asiortc/signaling_client.hpp>

#include <boost/asio.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace asio = boost::asio;

namespace {

void expect(bool holds, const char* what, const boost::system::error_code& got) {
  if (holds) return;
  std::fprintf(stderr, "%s: got %s\n", what, got.to_string().c_str());
  std::exit(1);
}

/// A server that reads a client's request to its end and hangs up.
asio::awaitable<void> hang_up(asio::ip::tcp::acceptor& acceptor) {
  asio::ip::tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
  std::string request;
  co_await asio::async_read_until(socket, asio::dynamic_buffer(request, 8192), "\r\n\r\n",
                                  asio::use_awaitable);
}

void check_cancelled(asio::io_context& context) {
  asiortc::signaling_client client(context.get_executor());
  asio::cancellation_signal signal;
  auto events = client.events();
  boost::system::error_code got;
  events.async_next(asio::bind_cancellation_slot(
      signal.slot(), [&](boost::system::error_code code, auto) { got = code; }));
  signal.emit(asio::cancellation_type::all);
  context.run();
  context.restart();
  expect(got == asio::error::operation_aborted, "a cancelled wait", got);
}

void check_end_of_file(asio::io_context& context) {
  asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  asio::co_spawn(context, hang_up(acceptor), asio::detached);
  asiortc::signaling_client client(context.get_executor());
  const auto port = std::to_string(acceptor.local_endpoint().port());
  boost::system::error_code got;
  client.async_connect("ws://127.0.0.1:" + port + "/",
                       [&](boost::system::error_code code) { got = code; });
  context.run();
  context.restart();
  expect(got == asio::error::eof, "a server that hangs up", got);
}

void check_no_such_name(asio::io_context& context) {
  const auto resolver = asiortc::make_name_resolver(context.get_executor());
  boost::system::error_code got;
  resolver->async_resolve("no such name",
                          [&](boost::system::error_code code, auto) { got = code; });
  context.run();
  context.restart();
  expect(got.category() == asio::error::get_netdb_category(), "a name that does not exist", got);
}

}  // namespace

int main() {
  asio::io_context context;
  check_cancelled(context);
  check_end_of_file(context);
  check_no_such_name(context);
  std::puts("errors compare equal");
}
