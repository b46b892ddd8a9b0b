// peer_cli: talks to other peers directly.
#include "chat.hpp"
#include "options.hpp"

#include <asiortc/error.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <exception>
#include <iostream>
#include <optional>

namespace {

using peer_cli::exit_code;

exit_code run_chat(const peer_cli::chat_options& options) {
  boost::asio::io_context context(1);
  std::optional<peer_cli::chat> session;
  try {
    session.emplace(context, options);
  } catch (const asiortc::error& wrong) {
    std::cerr << "peer_cli: " << wrong.what() << '\n';
    return exit_code::usage;
  }
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code cancelled, int) {
    if (!cancelled) session->stop();
  });
  exit_code status = exit_code::failure;
  boost::asio::co_spawn(context, session->run(),
                        [&](std::exception_ptr thrown, exit_code ended_with) {
                          if (!thrown) status = ended_with;
                          context.stop();
                        });
  context.run();
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = peer_cli::parse_options(argc, argv);
  const auto status = parsed.chat ? run_chat(*parsed.chat) : parsed.status;
  return static_cast<int>(status);
}
