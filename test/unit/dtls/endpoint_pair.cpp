#include "unit/dtls/endpoint_pair.hpp"

#include <algorithm>
#include <map>

namespace asiortc::test {
namespace {

constexpr std::int64_t valid_from = 1'750'000'000;
constexpr std::int64_t validity = 30 * 24 * 60 * 60;

std::shared_ptr<const crypto::identity> make_identity(crypto::key_type type) {
  return crypto::identity::generate(type, valid_from, valid_from + validity).value();
}

}  // namespace

std::shared_ptr<const crypto::identity> shared_identity(crypto::key_type type) {
  static std::map<crypto::key_type, std::shared_ptr<const crypto::identity>> made;
  auto& identity = made[type];
  if (identity == nullptr) identity = make_identity(type);
  return identity;
}

std::shared_ptr<const crypto::identity> fresh_identity() {
  return make_identity(crypto::key_type::ecdsa_p256);
}

dtls::settings settings_for(std::shared_ptr<const crypto::identity> own,
                            const crypto::identity& remote) {
  dtls::settings settings;
  settings.identity = std::move(own);
  settings.remote_fingerprints = {remote.get_fingerprint(crypto::hash_algorithm::sha256)};
  return settings;
}

void side::deliver(base::byte_span datagram) {
  base::bytes copy(datagram.begin(), datagram.end());
  base::packet_batch plain;
  dtls->handle_datagram(virtual_time::now(), copy, plain);
  for (const auto& entry : plain.entries()) received.emplace_back(base::as_text(plain.view(entry)));
  take_events();
}

void side::take_events() {
  while (auto event = dtls->poll_event()) events.push_back(std::get<dtls::state_changed>(*event));
}

std::vector<base::bytes> side::poll() {
  base::packet_batch out;
  dtls->poll_transmit(out);
  std::vector<base::bytes> packets;
  for (const auto& entry : out.entries()) {
    const auto view = out.view(entry);
    packets.emplace_back(view.begin(), view.end());
  }
  return packets;
}

base::bytes side::seal(std::string_view plain) {
  base::packet_batch out;
  if (!dtls->seal(base::as_bytes(plain), out)) return {};
  const auto view = out.view(out.entries().at(0));
  return {view.begin(), view.end()};
}

endpoint_pair::endpoint_pair(dtls::settings client_settings, dtls::settings server_settings) {
  client.dtls = dtls::make_openssl_endpoint(std::move(client_settings));
  server.dtls = dtls::make_openssl_endpoint(std::move(server_settings));
}

endpoint_pair::endpoint_pair()
    : endpoint_pair(settings_for(shared_identity(), *shared_identity()),
                    settings_for(shared_identity(), *shared_identity())) {}

void endpoint_pair::start() {
  server.dtls->start(virtual_time::now(), dtls::role::server);
  client.dtls->start(virtual_time::now(), dtls::role::client);
}

void endpoint_pair::carry() {
  bool more = true;
  while (more) {
    const bool from_client = carry_from(client, server);
    const bool from_server = carry_from(server, client);
    more = from_client || from_server;
  }
}

bool endpoint_pair::carry_from(side& sender, side& receiver) {
  auto packets = sender.poll();
  if (reversed) std::reverse(packets.begin(), packets.end());
  for (auto& bytes : packets) {
    carried.push_back({&sender == &client, carried.size(), std::move(bytes)});
    const packet sent = carried.back();
    for (const auto& arrived : wire(sent)) receiver.deliver(arrived);
  }
  return !packets.empty();
}

void endpoint_pair::run(base::duration limit) {
  const base::time_point end = virtual_time::now() + limit;
  carry();
  while (!connected() && virtual_time::now() < end) {
    const auto next = std::min(client.dtls->next_deadline(), server.dtls->next_deadline());
    if (next == base::never) break;
    virtual_time::advance_to(std::min(next, end));
    pass_time();
    carry();
  }
}

void endpoint_pair::pass_time() {
  for (side* each : {&client, &server}) {
    if (each->dtls->next_deadline() <= virtual_time::now()) {
      each->dtls->handle_timeout(virtual_time::now());
    }
    each->take_events();
  }
}

bool endpoint_pair::connected() const {
  return client.state() == dtls::state::connected && server.state() == dtls::state::connected;
}

base::bytes hold_last_flight(endpoint_pair& pair) {
  base::bytes held;
  pair.wire = [&](const packet& sent) {
    const bool last_flight = !sent.from_client && pair.server.state() == dtls::state::connected;
    if (last_flight) held = sent.bytes;
    return last_flight ? lost() : once(sent);
  };
  pair.start();
  pair.carry();
  pair.wire = once;
  return held;
}

bool exchanges_data(endpoint_pair& pair) {
  pair.server.deliver(pair.client.seal("to the server"));
  pair.client.deliver(pair.server.seal("to the client"));
  return !pair.server.received.empty() && pair.server.received.back() == "to the server" &&
         !pair.client.received.empty() && pair.client.received.back() == "to the client";
}

}  // namespace asiortc::test
