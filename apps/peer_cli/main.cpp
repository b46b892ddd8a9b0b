// peer_cli: talks to other peers directly, and says why it cannot.
#include "chat.hpp"
#include "doctor.hpp"
#include "options.hpp"
#include "say.hpp"
#include "text.hpp"

#include <asiortc/error.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <fcntl.h>
#include <iostream>
#include <optional>
#include <unistd.h>

namespace {

using peer_cli::exit_code;

/// Where the caller closed one of them, a socket would take its number, and be written to.
void occupy_standard_descriptors() {
  int opened = 0;
  while (opened >= 0 && opened <= STDERR_FILENO) opened = ::open("/dev/null", O_RDWR);
  if (opened >= 0) ::close(opened);
}

bool ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

exit_code run_chat(const peer_cli::chat_options& options) {
  boost::asio::io_context context(1);
  std::optional<peer_cli::chat> session;
  try {
    session.emplace(context, options);
  } catch (const asiortc::error& wrong) {
    peer_cli::complain(peer_cli::plain_what(wrong));
    return exit_code::usage;
  }
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  if (!ignored(SIGHUP)) signals.add(SIGHUP);  // as under nohup
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
  occupy_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // an output that nobody reads any more is told as others are
  const auto parsed = peer_cli::parse_options(argc, argv);
  exit_code status = parsed.status;
  if (parsed.chat) status = run_chat(*parsed.chat);
  if (parsed.doctor) status = run_doctor(*parsed.doctor);
  return static_cast<int>(status);
}
