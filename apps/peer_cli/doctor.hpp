// Tries what a connection needs, and says what works and what does not.
#pragma once

#include "findings.hpp"
#include "options.hpp"

#include <asiortc/configuration.hpp>
#include <asiortc/name_resolver.hpp>
#include <asiortc/peer_connection.hpp>
#include <asiortc/stun_probe.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace peer_cli {

/// A server of the user's or of the room's, and how it is asked.
class server_under_test {
 public:
  server_under_test() = default;

  asiortc::ice_server server;  ///< with one URL
  std::string shown;           ///< URL, transport and address family
  asiortc::stun_transport transport = asiortc::stun_transport::udp;
  boost::asio::ip::address address;
};

/// Runs on one thread; the report goes to standard output.
class doctor {
 public:
  doctor(boost::asio::io_context& context, const doctor_options& options);

  /// Stops the context when all is said.
  void start();
  /// Once it has.
  [[nodiscard]] exit_code result() const { return code_; }

 private:
  boost::asio::awaitable<void> examine();
  void list_interfaces();
  boost::asio::awaitable<void> visit_signaling();

  // doctor_servers.cpp
  boost::asio::awaitable<void> ask_stun_servers();
  boost::asio::awaitable<void> ask_turn_servers();
  boost::asio::awaitable<bool> ask_stun(server_under_test test);
  boost::asio::awaitable<bool> ask_turn(server_under_test test);
  boost::asio::awaitable<std::vector<server_under_test>> plan(asiortc::ice_server server);
  void note_nat(const asiortc::stun_probe_result& seen, bool ipv6);

  // doctor_meeting.cpp
  boost::asio::awaitable<void> list_candidates();
  boost::asio::awaitable<void> meet();
  [[nodiscard]] asiortc::configuration configure() const;

  boost::asio::io_context& context_;
  const doctor_options options_;
  std::shared_ptr<asiortc::name_resolver> resolver_;
  std::vector<asiortc::ice_server> stun_, turn_;  ///< each with one URL
  std::vector<asiortc::ice_server> working_;
  findings found_;
  exit_code code_ = exit_code::failure;
};

/// `12.3 ms`.
std::string in_milliseconds(std::chrono::steady_clock::duration time);

}  // namespace peer_cli
