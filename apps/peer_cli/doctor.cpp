#include "doctor.hpp"

#include "room.hpp"
#include "say.hpp"
#include "shared/text.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <random>
#include <utility>

namespace peer_cli {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

/// The servers with one URL each, as they are tried.
void append(const asiortc::ice_server& server, std::vector<asiortc::ice_server>& stun,
            std::vector<asiortc::ice_server>& turn) {
  for (const auto& url : server.urls) {
    asiortc::ice_server one(url);
    one.username = server.username;
    one.credential = server.credential;
    (is_turn_url(url) ? turn : stun).push_back(std::move(one));
  }
}

/// A room that nobody else is in.
std::string make_room() {
  std::random_device source;
  return "doctor-" + std::to_string(source()) + "-" + std::to_string(source());
}

}  // namespace

std::string in_milliseconds(steady_clock::duration time) {
  const auto tenths =
      (std::chrono::duration_cast<std::chrono::microseconds>(time).count() + 50) / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

doctor::doctor(asio::io_context& context, const doctor_options& options)
    : context_(context),
      options_(options),
      resolver_(asiortc::make_name_resolver(context.get_executor())) {
  for (const auto& url : options_.stun) stun_.emplace_back(url);
  for (const auto& url : options_.turn) {
    turn_.emplace_back(url);
    turn_.back().username = options_.turn_user;
    turn_.back().credential = options_.turn_password;
  }
}

void doctor::start() {
  asio::co_spawn(context_, examine(), [this](std::exception_ptr thrown) {
    context_.stop();
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const no_entrance& closed) {
      complain(closed.what());
      code_ = closed.code();
    } catch (const std::exception& unexpected) {
      complain(unexpected.what());
      code_ = exit_code::failure;
    }
  });
}

asio::awaitable<void> doctor::examine() {
  // First, since its URL may be wrong, and since a room recommends servers.
  co_await visit_signaling();
  list_interfaces();
  co_await ask_stun_servers();
  co_await ask_turn_servers();
  co_await list_candidates();
  co_await meet();
  report("Verdict: " + found_.verdict());
  code_ = found_.reachable() ? exit_code::ok : exit_code::failure;
}

void doctor::list_interfaces() {
  report("Interfaces:");
  for (const auto& each : asiortc::list_interface_addresses()) {
    boost::system::error_code malformed;
    const auto address = asio::ip::make_address(each.address, malformed);
    std::string kind;
    if (address.is_loopback()) {
      kind = " (this machine alone)";
    } else if (is_public(address)) {
      kind = " (public)";
      found_.public_address = true;
    }
    const bool link_local = address.is_v6() && address.to_v6().is_link_local();
    found_.any_address = found_.any_address || (!address.is_loopback() && !link_local);
    report("  " + each.interface_name + " " + each.address + kind);
  }
}

asio::awaitable<void> doctor::visit_signaling() {
  if (!options_.server) co_return;
  room_entrance entrance(context_.get_executor(), options_.server, make_room(), "doctor");
  const auto started = steady_clock::now();
  try {
    auto client = co_await entrance.enter();
    report("Signaling: " + *options_.server + ": a room was entered in " +
           in_milliseconds(steady_clock::now() - started));
    for (const auto& server : client.ice_servers()) {
      try {
        asiortc::check_ice_server(server);
        append(server, stun_, turn_);
      } catch (const asiortc::error& unusable) {
        report("  it recommends what cannot be used: " + shared::plain_what(unusable));
      }
    }
    co_await client.async_close(asio::use_awaitable);
  } catch (const no_entrance& closed) {
    if (closed.code() == exit_code::usage) throw;
    found_.no_signaling = closed.what();
    report("Signaling: " + found_.no_signaling);
  }
}

}  // namespace peer_cli
