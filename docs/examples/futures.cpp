// Blocking code: the network runs on a thread of the program's own, and main waits for futures.
#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <chrono>
#include <future>
#include <iostream>
#include <stdexcept>
#include <thread>

namespace asio = boost::asio;

// Waits at most ten seconds. Never wait so on the thread that runs the context: nobody would be
// left to make the future ready.
template <class T>
T wait(std::future<T> result) {
  if (result.wait_for(std::chrono::seconds(10)) != std::future_status::ready) {
    throw std::runtime_error("nothing happened for ten seconds");
  }
  return result.get();  // throws boost::system::system_error where the operation failed
}

void talk(asio::io_context& context) {
  asiortc::peer_connection alice{context}, bob{context};
  auto [alices_end, bobs_end] = asiortc::make_signaling_pipe_pair(context.get_executor());
  auto alices_session = asiortc::negotiate(alice, alices_end);
  auto bobs_session = asiortc::negotiate(bob, bobs_end);

  auto sender = alice.create_data_channel("chat");
  auto receiver = wait(bob.data_channels().async_next(asio::use_future));
  if (!receiver) throw std::runtime_error("the connection ended before a channel was opened");

  // Several operations wait at once where their futures are kept.
  auto greeting = receiver->async_receive(asio::use_future);
  auto sent = sender.async_send("hello", asio::use_future);
  wait(std::move(sent));
  if (auto message = wait(std::move(greeting))) std::cout << message->text() << '\n';

  wait(sender.async_flush(asio::use_future));
  std::cout << "all is acknowledged\n";
  auto alice_closed = alice.async_close(asio::use_future);
  auto bob_closed = bob.async_close(asio::use_future);
  wait(std::move(alice_closed));
  wait(std::move(bob_closed));
  std::cout << "both are closed\n";
}

int main() {
  asio::io_context context;
  auto work = asio::make_work_guard(context);  // run() goes on while there is nothing to do
  std::thread network([&context] { context.run(); });
  int status = 0;
  try {
    talk(context);
  } catch (const std::exception& wrong) {
    std::cerr << "futures: " << wrong.what() << '\n';
    status = 1;
  }
  work.reset();
  network.join();
  return status;
}
