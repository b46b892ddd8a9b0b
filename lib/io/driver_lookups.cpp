// What a driver has to find out: local addresses, and the addresses behind names.
#include "io/clock.hpp"
#include "io/interfaces.hpp"
#include "io/peer_driver_impl.hpp"
#include "mdns/message.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace asiortc::io {
namespace {

// A remote description may carry many names; the core bounds its candidates, this the look-ups.
constexpr std::size_t max_lookups = 128;

// Of a server's name, in each family.
constexpr std::size_t max_server_addresses = 4;

base::ip_address to_base(const boost::asio::ip::address& address) {
  if (address.is_v4()) return base::ip_address::v4(address.to_v4().to_bytes());
  const auto v6 = address.to_v6();
  return base::ip_address::v6(v6.to_bytes(), static_cast<std::uint32_t>(v6.scope_id()));
}

}  // namespace

void peer_driver::impl::gather(std::uint32_t wanted) {
  generation = wanted;
  ++occasions;
  looked_up.clear();    // what is under way is of another generation
  servers_pending = 1;  // us, so that it is not complete before the last server was named
  take_next_servers();
  std::erase_if(streams, [](const auto& each) { return !each->stream; });  // all are asked anew
  if (mux) follow_mux();
  last_told.reset();
  if (const auto there = look_at_addresses()) {
    open_missing_sockets(*there);
  } else {
    options.log(log_level::warning, [] { return "the system does not tell its addresses"; });
  }
  watch_interfaces();
  for (const auto& server : options.stun_servers) ask_server(server);
  for (const auto& server : options.turn_servers) ask_server(server);
  for (const auto& url : options.turn_over_dtls) {
    core->turn_server_failed(clock_now(), url, "TURN over DTLS is not supported");
  }
  --servers_pending;
  finish_gathering_if_done();
}

/// Look-ups for those of before are of another generation, and so look at none of them any more.
void peer_driver::impl::take_next_servers() {
  if (!next_options) return;
  options.stun_servers = std::move(next_options->stun_servers);
  options.turn_servers = std::move(next_options->turn_servers);
  options.turn_over_dtls = std::move(next_options->turn_over_dtls);
  options.turn_trusted_certificates = std::move(next_options->turn_trusted_certificates);
  next_options.reset();
  unresolved.clear();
  asked_beside_mux.clear();
}

template <class Server>
void peer_driver::impl::ask_server(const Server& server) {
  ++servers_pending;
  unresolved.erase(server.url);
  looked_up.insert(server.url);
  look_up(server.host,
          [wanted = generation, since = occasions, &server](impl& driver, const auto& addresses) {
            if (driver.generation != wanted) return;
            driver.looked_up.erase(server.url);
            if (addresses.empty()) driver.unresolved.insert(server.url);
            driver.add_server(server, addresses);
            if (addresses.empty()) driver.ask_missing_servers_since(since);
            --driver.servers_pending;
            driver.finish_gathering_if_done();
          });
}

/// The network may have come after the servers were asked. Sockets that come ask over UDP by
/// themselves; what is left are names that had no address, and streams that could not be opened.
void peer_driver::impl::ask_missing_servers() {
  if (generation == 0) return;
  for (const auto& server : options.stun_servers) {
    if (unresolved.contains(server.url)) ask_server(server);
  }
  for (const auto& server : options.turn_servers) {
    const bool lacks_stream = server.transport != turn_transport::udp && !has_stream_to(server) &&
                              !looked_up.contains(server.url);
    if (lacks_stream || unresolved.contains(server.url)) ask_server(server);
  }
}

/// What failed was under way when there was reason to ask again, and had not failed yet.
void peer_driver::impl::ask_missing_servers_since(std::uint64_t occasion) {
  if (occasion != occasions) ask_missing_servers();
}

void peer_driver::impl::add_server(const stun_server& server,
                                   const std::vector<base::ip_address>& addresses) {
  if (addresses.empty()) core->stun_server_failed(clock_now(), server.url, no_address);
  for (const bool v6 : {false, true}) {
    const auto found = choose_addresses(addresses, v6, server.port);
    if (found.empty()) continue;
    core->add_stun_server(clock_now(), found.front(), server.url, {found.begin() + 1, found.end()});
  }
}

/// Those of the family, of which each is tried where the one before it fails.
std::vector<base::endpoint> peer_driver::impl::choose_addresses(
    const std::vector<base::ip_address>& addresses, bool v6, std::uint16_t port) {
  std::vector<base::endpoint> chosen;
  for (const auto& each : addresses) {
    if (each.is_v6() == v6 && chosen.size() < max_server_addresses) chosen.emplace_back(each, port);
  }
  return chosen;
}

void peer_driver::impl::finish_gathering_if_done() {
  if (servers_pending == 0) core->finish_gathering(clock_now(), generation);
}

void peer_driver::impl::look_up(const std::string& name, resolved done) {
  if (const auto literal = base::ip_address::parse(name)) {
    done(*this, {*literal});
    return;
  }
  if (lookups.size() >= max_lookups) {
    done(*this, {});
    return;
  }
  const std::uint64_t key = ++last_lookup;
  lookups[key].done = std::move(done);
  lookups[key].deadline = clock_now() + options.lookup_timeout;
  if (mdns::is_local_name(name)) {
    start_mdns(key, name);
  } else {
    start_dns(key, name);
  }
}

void peer_driver::impl::start_mdns(std::uint64_t key, const std::string& name) {
  // Weak, and posted by a guarded strand: a look-up may outlive us.
  const auto weak = std::weak_ptr<impl>(self());
  lookups[key].mdns_token =
      resources->mdns().resolve(name, [weak, key](std::vector<base::ip_address> found) {
        const auto driver = weak.lock();
        if (!driver) return;
        driver->strand.post(
            [driver, key, found = std::move(found)] { driver->finish_lookup(key, found); });
      });
}

void peer_driver::impl::start_dns(std::uint64_t key, const std::string& name) {
  const auto weak = std::weak_ptr<impl>(self());
  auto handler = [weak, key](boost::system::error_code,
                             const std::vector<boost::asio::ip::address>& addresses) {
    const auto driver = weak.lock();
    if (!driver) return;
    std::vector<base::ip_address> found;
    found.reserve(addresses.size());
    for (const auto& address : addresses) found.push_back(to_base(address));
    driver->strand.post(
        [driver, key, found = std::move(found)] { driver->finish_lookup(key, found); });
  };
  if (options.resolver) {
    // It may live longer than our strand and run elsewhere, so it gets neither strand nor slot; an
    // answer that comes too late finds nobody.
    options.resolver->async_resolve(name, std::move(handler));
    return;
  }
  const auto signal = std::make_shared<boost::asio::cancellation_signal>();
  lookups[key].cancel = signal;
  resources->resolver().async_resolve(
      name, boost::asio::bind_executor(
                strand.get(),
                boost::asio::bind_cancellation_slot(
                    signal->slot(), [signal, handler = std::move(handler)](
                                        boost::system::error_code error,
                                        const std::vector<boost::asio::ip::address>& found) {
                      handler(error, found);
                    })));
}

void peer_driver::impl::finish_lookup(std::uint64_t key,
                                      const std::vector<base::ip_address>& found) {
  const auto it = lookups.find(key);
  if (it == lookups.end() || stopping) return;
  const resolved done = std::move(it->second.done);
  lookups.erase(it);
  done(*this, found);
  pump();
}

base::time_point peer_driver::impl::next_lookup_deadline() const {
  base::time_point next = base::never;
  for (const auto& [key, lookup] : lookups) next = std::min(next, lookup.deadline);
  return next;
}

/// A resolver of the application's may never answer.
void peer_driver::impl::give_up_lookups(base::time_point now) {
  std::vector<std::uint64_t> overdue;
  for (const auto& [key, lookup] : lookups) {
    if (lookup.deadline <= now) overdue.push_back(key);
  }
  for (const auto key : overdue) {
    const auto it = lookups.find(key);
    if (it == lookups.end()) continue;
    cancel(it->second);
    finish_lookup(key, {});
  }
}

void peer_driver::impl::cancel(const pending_lookup& lookup) {
  if (lookup.mdns_token != 0) resources->mdns().cancel(lookup.mdns_token);
  if (lookup.cancel) lookup.cancel->emit(boost::asio::cancellation_type::terminal);
}

void peer_driver::impl::cancel_lookups() {
  for (const auto& [key, lookup] : std::exchange(lookups, {})) cancel(lookup);
}

}  // namespace asiortc::io
