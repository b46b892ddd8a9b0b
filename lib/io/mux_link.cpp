#include "io/mux_link.hpp"

#include "stun/message_view.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::io {
namespace {

constexpr std::uint32_t kind_bits = 0xF000'0000;

constexpr std::size_t max_errors = 64;

}  // namespace

bool mux_link::owns(base::socket_id id) {
  return (static_cast<std::uint32_t>(id) & kind_bits) == mux_bit;
}

std::shared_ptr<mux_link> mux_link::create(std::shared_ptr<io::mux> mux) {
  auto made = std::make_shared<mux_link>(std::move(mux));
  made->peer_ = made->mux_->join(made);
  return made;
}

mux_link::~mux_link() { leave(); }

void mux_link::set_wake(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::make_shared<const std::function<void()>>(std::move(wake));
}

void mux_link::leave() noexcept {
  if (peer_ == ice::mux_peer::none) return;
  mux_->leave(std::exchange(peer_, ice::mux_peer::none));
  outlets_.clear();
  news dropped;
  const std::lock_guard lock(mutex_);
  wake_.reset();
  std::swap(dropped, news_);
}

mux_link::news mux_link::take() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  return std::exchange(news_, {});
}

mux_link::changes mux_link::update_addresses() {
  changes found;
  if (peer_ == ice::mux_peer::none) return found;
  const auto now = mux_->addresses();
  std::erase_if(outlets_, [&](const outlet& known) {
    const bool there = std::any_of(now.begin(), now.end(), [&](const mux_address& each) {
      return each.id == known.address.id;
    });
    if (!there) found.gone.push_back(known.address.id);
    return !there;
  });
  for (const auto& each : now) {
    const bool known = std::any_of(outlets_.begin(), outlets_.end(), [&](const outlet& other) {
      return other.address.id == each.id;
    });
    if (known) continue;
    outlets_.push_back({each, backlog_sender()});
    found.come.push_back(each);
  }
  return found;
}

std::vector<mux_address> mux_link::addresses() const {
  std::vector<mux_address> all;
  all.reserve(outlets_.size());
  for (const auto& each : outlets_) all.push_back(each.address);
  return all;
}

const mux_link::outlet* mux_link::find_own(const base::endpoint& remote) const {
  const auto found = std::find_if(outlets_.begin(), outlets_.end(),
                                  [&](const outlet& each) { return each.address.bound == remote; });
  return found == outlets_.end() ? nullptr : &*found;
}

mux_link::way mux_link::choose_way(const base::route& to, base::byte_span packet) {
  const bool is_stun = stun::looks_like_stun(packet);
  if (!is_stun && to == settled_) return way::kernel;
  if (find_own(to.remote) != nullptr) return way::partner;
  if (!mux_->note_sent(peer_, to, packet)) return way::refused;
  // With each check, so every few seconds, the mux is told of data anew.
  if (!is_stun) settled_ = to;
  if (is_stun && to == settled_) settled_ = {};
  return way::kernel;
}

void mux_link::send(const base::packet_batch& batch, std::size_t first, std::size_t last,
                    std::vector<base::route>& failed) {
  const auto& entries = batch.entries();
  const auto from = std::find_if(outlets_.begin(), outlets_.end(), [&](const outlet& each) {
    return each.address.id == entries[first].to.local;
  });
  if (from == outlets_.end()) return;
  std::size_t start = first;
  for (std::size_t i = first; i < last; ++i) {
    const auto& to = entries[i].to;
    const auto packet = batch.view(entries[i]);
    const way chosen = choose_way(to, packet);
    if (chosen == way::kernel) continue;
    flush(*from, batch, start, i, failed);
    start = i + 1;
    if (chosen == way::refused) {
      failed.push_back(to);
    } else {
      mux_->carry(peer_, {find_own(to.remote)->address.id, from->address.bound}, packet);
    }
  }
  flush(*from, batch, start, last, failed);
}

void mux_link::flush(outlet& from, const base::packet_batch& batch, std::size_t first,
                     std::size_t last, std::vector<base::route>& failed) {
  if (first == last) return;
  const bool waited = from.sender.blocked();
  from.sender.send(from.address.fd->get(), batch, first, last, failed);
  if (!waited && from.sender.blocked()) mux_->await_writable(from.address.id, weak_from_this());
}

void mux_link::send_kept(std::vector<base::route>& failed) {
  for (auto& each : outlets_) {
    if (!each.sender.blocked()) continue;
    each.sender.send_kept(each.address.fd->get(), failed);
    if (each.sender.blocked()) mux_->await_writable(each.address.id, weak_from_this());
  }
}

bool mux_link::blocked() const {
  return std::any_of(outlets_.begin(), outlets_.end(),
                     [](const outlet& each) { return each.sender.blocked(); });
}

bool mux_link::keep(const base::route& from, base::byte_span packet) {
  auto& packets = news_.packets;
  if (packets.empty()) packets = mux_->borrow_block();
  if (packets.size() >= max_waiting_packets ||
      packets.total_bytes() + packet.size() > max_waiting_bytes) {
    mux_->note_overflow(1);
    return false;
  }
  packets.set_route(from, base::traffic_class::data);
  packets.append(packet);
  return true;
}

bool mux_link::needs_wake() { return wake_ && !std::exchange(woken_, true); }

bool mux_link::append(std::span<const base::datagram> datagrams) {
  const std::lock_guard lock(mutex_);
  if (!wake_) return false;
  for (const auto& datagram : datagrams) keep(datagram.from, datagram.bytes);
  return needs_wake();
}

bool mux_link::append(const base::route& from, base::byte_span packet) {
  const std::lock_guard lock(mutex_);
  return wake_ && keep(from, packet) && needs_wake();
}

bool mux_link::note_error(const base::route& route) {
  const std::lock_guard lock(mutex_);
  if (news_.failed.size() < max_errors) news_.failed.push_back(route);
  return needs_wake();
}

bool mux_link::note_writable() {
  const std::lock_guard lock(mutex_);
  news_.writable = true;
  return needs_wake();
}

bool mux_link::note_addresses() {
  const std::lock_guard lock(mutex_);
  news_.addresses_changed = true;
  return needs_wake();
}

void mux_link::wake() {
  std::shared_ptr<const std::function<void()>> call;
  {
    const std::lock_guard lock(mutex_);
    call = wake_;
  }
  if (call) (*call)();
}

}  // namespace asiortc::io
