// signaling_server: introduces peers to each other. Exit status: 0 after SIGINT, SIGTERM or SIGHUP,
// 1 when it cannot serve, 2 for a bad command line.
#include "flags.hpp"
#include "say.hpp"
#include "shared/process.hpp"
#include "shared/text.hpp"

#include <asiortc/error.hpp>
#include <asiortc/signaling_server.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <exception>
#include <iostream>
#include <stdexcept>

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

/// Beside the peers' sockets: those that are refused, the listener and what Asio needs.
constexpr std::size_t spare_descriptors = 128;

/// Who connects when no descriptor is left would wait without an answer.
void fit_to_descriptors(spdlog::logger& log, std::size_t& max_connections) {
  const std::size_t allowed = shared::allow_descriptors(max_connections + spare_descriptors);
  if (allowed >= max_connections + spare_descriptors) return;
  max_connections = std::max<std::size_t>(allowed - std::min(spare_descriptors, allowed / 2), 1);
  log.warn("at most {} connections: no more than {} open files are allowed (ulimit -n)",
           max_connections, allowed);
}

int serve(server_flags flags) {
  const auto log = spdlog::stderr_color_st("signaling_server");
  log->set_level(to_spdlog(flags.log_level));
  flags.options.log_threshold = flags.log_level;
  flags.options.log = [log](asiortc::log_level level, std::string_view, std::string_view line) {
    log->log(to_spdlog(level), line);
  };

  fit_to_descriptors(*log, flags.options.max_connections);

  boost::asio::io_context context(1);
  asiortc::signaling_server server(context.get_executor(), std::move(flags.options));
  boost::asio::signal_set stop(context, SIGINT, SIGTERM);
  if (!shared::is_ignored(SIGHUP)) stop.add(SIGHUP);
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
  shared::occupy_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a log that nobody reads any more is no reason to stop serving
  try {
    server_flags flags;
    const int status = parse_flags(argc, argv, flags);
    return status >= 0 ? status : serve(std::move(flags));
  } catch (const std::exception& problem) {
    complain(shared::plain_what(problem));
    return 1;
  }
}
