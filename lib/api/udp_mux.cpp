#include "io/mux.hpp"

#include <asiortc/error.hpp>
#include <asiortc/udp_mux.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace asiortc::inline ASIORTC_ABI {
namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t max_addresses = 16;

base::ip_address parse_address(const std::string& text) {
  const auto address = base::ip_address::parse(text);
  if (!address) {
    throw error(errc::syntax_error,
                "udp_mux_options.addresses: \"" + text + "\": expected an IPv4 or IPv6 address");
  }
  if (address->is_unspecified() || address->is_multicast()) {
    throw error(errc::type_error,
                "udp_mux_options.addresses: " + text + ": expected the address of an interface");
  }
  return *address;
}

ip::udp::endpoint to_asio(const base::endpoint& endpoint) {
  const auto octets = endpoint.address.octets();
  if (endpoint.address.is_v4()) {
    ip::address_v4::bytes_type bytes{};
    std::copy(octets.begin(), octets.end(), bytes.begin());
    return {ip::address_v4(bytes), endpoint.port};
  }
  ip::address_v6::bytes_type bytes{};
  std::copy(octets.begin(), octets.end(), bytes.begin());
  return {ip::address_v6(bytes, endpoint.address.scope_id()), endpoint.port};
}

}  // namespace

udp_mux::udp_mux(boost::asio::any_io_executor executor, const udp_mux_options& options) {
  io::mux_options wanted;
  wanted.port = options.port;
  wanted.filter = options.interface_filter;
  wanted.log = base::logger(options.log, options.log_threshold, "mux");
  if (options.addresses.size() > max_addresses) {
    throw error(errc::type_error, "udp_mux_options.addresses: expected at most 16");
  }
  for (const auto& text : options.addresses) wanted.addresses.push_back(parse_address(text));
  auto opened = io::mux::open(executor, std::move(wanted));
  if (!opened) throw error(opened.error().code, "udp_mux: " + opened.error().detail);
  mux_ = std::move(*opened);
}

udp_mux::~udp_mux() { close(); }

std::uint16_t udp_mux::port() const { return mux_->port(); }

std::vector<ip::udp::endpoint> udp_mux::local_endpoints() const {
  std::vector<ip::udp::endpoint> all;
  for (const auto& each : mux_->addresses()) all.push_back(to_asio(each.bound));
  return all;
}

udp_mux_counters udp_mux::counters() const {
  const auto now = mux_->statistics();
  udp_mux_counters shown;
  shown.unknown_dropped = now.dropped.unknown;
  shown.conflicts_dropped = now.dropped.conflicts;
  shown.overflow_dropped = now.overflowed;
  shown.peers = now.peers;
  shown.remote_addresses = now.routes;
  return shown;
}

bool udp_mux::is_open() const { return mux_->is_open(); }

void udp_mux::close() { mux_->close(); }

}  // namespace asiortc::inline ASIORTC_ABI
