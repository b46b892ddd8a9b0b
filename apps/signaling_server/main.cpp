// signaling_server: introduces peers to each other. Exit status: 0 after SIGINT, SIGTERM or SIGHUP,
// 1 when it cannot serve, 2 for a bad command line.
#include "flags.hpp"
#include "say.hpp"
#include "text.hpp"

#include <asiortc/error.hpp>
#include <asiortc/signaling_server.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <exception>
#include <fcntl.h>
#include <iostream>
#include <stdexcept>
#include <unistd.h>

namespace {

spdlog::level::level_enum to_spdlog(asiortc::log_level level) {
  switch (level) {
    case asiortc::log_level::trace:
      return spdlog::level::trace;
    case asiortc::log_level::debug:
      return spdlog::level::debug;
    case asiortc::log_level::info:
      return spdlog::level::info;
    case asiortc::log_level::warning:
      return spdlog::level::warn;
    case asiortc::log_level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// Where the caller closed one of them, a socket would take its number, and be written to.
void occupy_standard_descriptors() {
  int opened = 0;
  while (opened >= 0 && opened <= STDERR_FILENO) opened = ::open("/dev/null", O_RDONLY);
  if (opened >= 0) ::close(opened);
}

/// `nohup` starts programs so, and means it.
bool ignores_hangup() {
  struct sigaction present {};
  return ::sigaction(SIGHUP, nullptr, &present) == 0 && present.sa_handler == SIG_IGN;
}

int serve(server_flags flags) {
  const auto log = spdlog::stderr_color_st("signaling_server");
  log->set_level(to_spdlog(flags.log_level));
  flags.options.log_threshold = flags.log_level;
  flags.options.log = [log](asiortc::log_level level, std::string_view, std::string_view line) {
    log->log(to_spdlog(level), line);
  };

  boost::asio::io_context context(1);
  asiortc::signaling_server server(context.get_executor(), std::move(flags.options));
  boost::asio::signal_set stop(context, SIGINT, SIGTERM);
  if (!ignores_hangup()) stop.add(SIGHUP);
  stop.async_wait([&](boost::system::error_code code, int number) {
    if (code) return;
    log->info("stopping on signal {}", number);
    server.async_close([](boost::system::error_code) {});
  });
  server.listen();
  std::cout << "listening on " << server.url() << std::endl;  // flushed: scripts wait for it
  if (!std::cout) throw std::runtime_error("standard output cannot be written");
  context.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  try {
    server_flags flags;
    const int status = parse_flags(argc, argv, flags);
    return status >= 0 ? status : serve(std::move(flags));
  } catch (const std::exception& problem) {
    complain(peer_cli::plain_what(problem));
    return 1;
  }
}
