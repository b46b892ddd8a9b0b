#include "sim/agents.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::test {
namespace {

constexpr base::duration signaling_delay = std::chrono::milliseconds(30);

}  // namespace

agent_host::agent_host(virtual_internet& net, const nat_kind& kind, side which, std::uint64_t seed)
    : net_(net),
      random_(seed * 2 + (which == side::offerer ? 0 : 1)),
      core_({}, random_),
      site_(add_site(net, kind, which, [this](const base::datagram& datagram) {
        core_.handle_datagram(net_.now(), datagram, plain_);
      })) {
  agent().set_role(which == side::offerer ? ice::role::controlling : ice::role::controlled);
}

bool agent_host::is_connected() {
  const auto state = agent().state();
  return state == ice::agent_state::connected || state == ice::agent_state::completed;
}

bool agent_host::is_relaying() {
  const auto route = agent().data_route();
  return !route || is_relayed(*route);
}

void agent_host::gather() {
  test::gather(net_, site_, *this, [this] { agent().finish_gathering(net_.now()); });
}

void agent_host::handle_timeout() {
  if (core_.next_deadline() <= net_.now()) core_.handle_timeout(net_.now());
}

void agent_host::pump() {
  while (auto event = core_.poll_event(net_.now())) {
    if (auto* gathered = std::get_if<ice::local_candidate_gathered>(&*event)) {
      on_candidate(gathered->value);
    } else if (std::holds_alternative<ice::gathering_complete>(*event)) {
      on_complete();
    } else if (auto* changed = std::get_if<ice::state_changed>(&*event)) {
      states.push_back(changed->now);
    }
  }
  batch_.clear();
  core_.poll_transmit(net_.now(), batch_);
  for (const auto& packet : batch_.entries()) net_.send(site_, packet.to, batch_.view(packet));
}

agents::agents(const matrix_cell& cell, std::uint64_t seed, const network_conditions& conditions)
    : net(seed, conditions),
      offerer(net, *cell.offerer, side::offerer, seed),
      answerer(net, *cell.answerer, side::answerer, seed) {
  trickle(offerer, answerer);
  trickle(answerer, offerer);
  offerer.gather();
  signal([this] {
    answerer.agent().set_remote_credentials(net.now(), offerer.agent().local_credentials());
    answerer.gather();
    signal([this] {
      offerer.agent().set_remote_credentials(net.now(), answerer.agent().local_credentials());
    });
  });
  step_to(net.now());
}

void agents::signal(std::function<void()> act) {
  signals_.emplace_back(net.now() + signaling_delay, std::move(act));
}

void agents::trickle(agent_host& from, agent_host& to) {
  from.on_candidate = [this, &to](const ice::candidate& value) {
    signal([this, &to, line = ice::to_string(value)] {
      to.agent().add_remote_candidate(net.now(), ice::parse_candidate(line).value()).value();
    });
  };
  from.on_complete = [this, &to] {
    signal([this, &to] { to.agent().end_of_remote_candidates(net.now()); });
  };
}

bool agents::are_connected() { return offerer.is_connected() && answerer.is_connected(); }

bool agents::go(bool direct) {
  return are_connected() && offerer.is_relaying() != direct && answerer.is_relaying() != direct;
}

bool agents::have_failed() const {
  const auto has_failed = [](const agent_host& host) {
    return std::find(host.states.begin(), host.states.end(), ice::agent_state::failed) !=
           host.states.end();
  };
  return has_failed(offerer) || has_failed(answerer);
}

void agents::step_to(base::time_point then) {
  net.advance(then);
  while (!signals_.empty() && signals_.front().first <= then) {
    const auto act = std::move(signals_.front().second);
    signals_.pop_front();
    act();
  }
  for (agent_host* host : {&offerer, &answerer}) {
    host->handle_timeout();
    host->pump();
  }
}

bool agents::run_until(const std::function<bool()>& condition, base::duration limit) {
  const base::time_point end = net.now() + limit;
  while (!condition()) {
    base::time_point next =
        std::min({net.next_event(), offerer.next_deadline(), answerer.next_deadline()});
    if (!signals_.empty()) next = std::min(next, signals_.front().first);
    step_to(std::clamp(next, net.now(), end));
    if (next > end) return condition();
  }
  return true;
}

void agents::run_for(base::duration time) {
  run_until([] { return false; }, time);
}

}  // namespace asiortc::test
