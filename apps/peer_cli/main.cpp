// peer_cli: talks to other peers directly, and says why it cannot.
#include "chat.hpp"
#include "doctor.hpp"
#include "options.hpp"
#include "say.hpp"
#include "shared/process.hpp"
#include "shared/text.hpp"

#include <asiortc/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstddef>
#include <exception>
#include <iostream>
#include <optional>

namespace {

using peer_cli::exit_code;

/// For some hundred links, each with a socket for every local address.
constexpr std::size_t wanted_descriptors = 16384;

exit_code run_chat(const peer_cli::chat_options& options) {
  boost::asio::io_context context(1);
  std::optional<peer_cli::chat> session;
  try {
    session.emplace(context, options);
  } catch (const asiortc::error& wrong) {
    peer_cli::complain(shared::plain_what(wrong));
    return exit_code::usage;
  }
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  if (!shared::is_ignored(SIGHUP)) signals.add(SIGHUP);  // as under nohup
  signals.async_wait([&](boost::system::error_code cancelled, int) {
    if (cancelled) return;
    session->stop();
    signals.clear();  // a second one ends the process at once
  });
  session->start();
  context.run();
  if (!session->output_failed()) return session->result();
  peer_cli::complain("standard output cannot be written");
  return exit_code::failure;
}

exit_code run_doctor(const peer_cli::doctor_options& options) {
  boost::asio::io_context context(1);
  peer_cli::doctor examination(context, options);
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code cancelled, int) {
    if (!cancelled) context.stop();
  });
  examination.start();
  context.run();
  if (std::cout.flush()) return examination.result();
  peer_cli::complain("standard output cannot be written");
  return exit_code::failure;
}

}  // namespace

int main(int argc, char** argv) {
  shared::occupy_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // an output that nobody reads any more is told as others are
  try {
    const auto parsed = peer_cli::parse_options(argc, argv);
    exit_code status = parsed.status;
    shared::allow_descriptors(wanted_descriptors);
    if (parsed.chat) status = run_chat(*parsed.chat);
    if (parsed.doctor) status = run_doctor(*parsed.doctor);
    return static_cast<int>(status);
  } catch (const std::exception& problem) {
    peer_cli::complain(shared::plain_what(problem));
    return static_cast<int>(exit_code::failure);
  }
}
