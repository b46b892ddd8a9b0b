// Two peers in two processes, each in a network namespace and on a core of its own.
#pragma once

#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <functional>
#include <string>

namespace asiortc::bench {

namespace asio = boost::asio;

struct placement {
  placement() = default;
  std::string sender_netns;  ///< as `ip netns` names it; empty: where we are
  std::string receiver_netns;
};

/// What a side does once its channel is open; what it returns is sent to the parent.
using side = std::function<asio::awaitable<std::string>(data_channel& channel)>;

struct both_reports {
  both_reports() = default;
  std::string sender;
  std::string receiver;
};

/// Forks the two, connects them, runs each side to its end. Throws when either fails.
both_reports run_two_processes(const placement& where, const side& sender, const side& receiver);

}  // namespace asiortc::bench
