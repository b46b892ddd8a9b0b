// What of a mux is called from any thread, and its sockets.
#include "io/mux.hpp"

#include "crypto/random.hpp"
#include "io/clock.hpp"
#include "io/mux_link.hpp"
#include "io/mux_port.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::io {
namespace {

constexpr std::size_t max_ports = 64;
// Another program may have one of the addresses' port that the kernel chose for the first.
constexpr int max_port_attempts = 16;
constexpr std::size_t max_kept_blocks = 16;
constexpr std::size_t max_kept_block_bytes = 256 * 1024;

}  // namespace

base::result<std::shared_ptr<mux>> mux::open(const boost::asio::any_io_executor& executor,
                                             mux_options options) {
  std::shared_ptr<mux> made(new mux(executor, std::move(options)));
  made->watch_context(executor);
  auto opened = made->open_all();
  for (int i = 1; !opened && made->options_.port == 0 && i < max_port_attempts; ++i) {
    made->ports_.clear();
    made->port_ = 0;
    opened = made->open_all();
  }
  if (!opened) return opened.error();
  return made;
}

mux::mux(const boost::asio::any_io_executor& executor, mux_options options)
    : options_(std::move(options)),
      strand_(executor),
      resources_(shared_resources::of(executor)),
      port_(options_.port),
      last_socket_(mux_bit),
      table_(ice::mux_limits(), crypto::system_random().u64()) {}

mux::~mux() = default;

std::shared_ptr<mux> mux::self() { return std::static_pointer_cast<mux>(shared_from_this()); }

std::vector<local_address> mux::select(const system_addresses& there) const {
  return select_addresses(there.all, options_.filter, there.defaults);
}

base::result<void> mux::open_all() {
  std::vector<local_address> wanted;
  for (const auto& address : options_.addresses) {
    wanted.push_back({{}, address, static_cast<std::uint16_t>(65535 - wanted.size())});
  }
  if (wanted.empty()) wanted = select(look_at_addresses().value_or(system_addresses()));
  if (wanted.empty()) return base::failure{errc::type_error, "no local address may be used"};
  for (const auto& local : wanted) {
    if (auto opened = open_port(local); !opened) return opened;
  }
  return {};
}

base::result<void> mux::open_port(const local_address& local) {
  auto bound = open_udp(local.address, {port_, port_}, 0);
  if (!bound) return bound.error();
  if (port_ == 0) port_ = bound->local.port;
  mux_address made;
  made.id = base::socket_id{++last_socket_};
  made.bound = bound->local;
  made.local = local;
  made.fd = std::make_shared<const unique_fd>(std::move(bound->fd));
  auto port = std::make_shared<bound_port>(strand_.get(), std::move(made));
  const std::lock_guard lock(mutex_);
  ports_.push_back(std::move(port));
  return {};
}

void mux::close() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(closed_, true)) return;
  }
  strand_.post([self = self()] {
    self->close_ports();
    self->update();
  });
}

bool mux::is_open() const {
  const std::lock_guard lock(mutex_);
  return !closed_;
}

void mux::close_ports() noexcept {
  for (const auto& port : ports()) release(port);
  tell_addresses();
}

void mux::release(const port_ptr& port) noexcept {
  {
    const std::lock_guard lock(mutex_);
    std::erase(ports_, port);
    table_.remove_socket(port->address.id);
  }
  port->release();
}

void mux::on_context_shutdown() noexcept {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  close_ports();
  stretches_.clear();
  awoken_.clear();
  if (watch_token_ != 0) resources_->interfaces().unsubscribe(std::exchange(watch_token_, 0));
  strand_.drop();
}

std::vector<mux_address> mux::addresses() const {
  std::vector<mux_address> all;
  for (const auto& port : ports()) all.push_back(port->address);
  return all;
}

mux_statistics mux::statistics() const {
  mux_statistics now;
  now.overflowed = overflowed_;
  const std::lock_guard lock(mutex_);
  now.dropped = table_.counters();
  now.peers = table_.peers();
  now.routes = table_.routes();
  return now;
}

ice::mux_peer mux::join(const std::shared_ptr<mux_link>& link) {
  ice::mux_peer peer{};
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = links_.empty();
    peer = table_.add_peer();
    links_[peer] = link;
  }
  if (first) strand_.post([self = self()] { self->update(); });
  return peer;
}

void mux::leave(ice::mux_peer peer) {
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    table_.remove_peer(peer);
    last = links_.erase(peer) != 0 && links_.empty();
  }
  if (last) strand_.post([self = self()] { self->update(); });
}

bool mux::add_ufrag(ice::mux_peer peer, const std::string& ufrag) {
  const std::lock_guard lock(mutex_);
  return table_.add_ufrag(peer, ufrag);
}

void mux::remove_ufrag(ice::mux_peer peer, const std::string& ufrag) {
  const std::lock_guard lock(mutex_);
  table_.remove_ufrag(peer, ufrag);
}

bool mux::note_sent(ice::mux_peer peer, const base::route& to, base::byte_span packet) {
  const auto now = clock_now();
  const std::lock_guard lock(mutex_);
  return table_.note_sent(now, peer, to, packet);
}

void mux::carry(ice::mux_peer sender, const base::route& from, base::byte_span packet) {
  const auto now = clock_now();
  link_ptr link;
  {
    const std::lock_guard lock(mutex_);
    link = find_link(table_.find_partner(now, sender, packet));
  }
  if (link && link->append(from, packet)) link->wake();
}

void mux::await_writable(base::socket_id socket, std::weak_ptr<mux_link> link) {
  port_ptr port;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(ports_.begin(), ports_.end(), [=](const port_ptr& each) {
      return each->address.id == socket;
    });
    if (found == ports_.end()) return;
    port = *found;
    port->blocked.push_back(std::move(link));
  }
  strand_.post([self = self(), port = std::move(port)] { self->watch_writable(port); });
}

base::packet_batch mux::borrow_block() {
  const std::lock_guard lock(mutex_);
  if (blocks_.empty()) return {};
  base::packet_batch block = std::move(blocks_.back());
  blocks_.pop_back();
  return block;
}

void mux::give_back(base::packet_batch block) {
  if (block.empty() || block.total_bytes() > max_kept_block_bytes) return;
  block.clear();
  const std::lock_guard lock(mutex_);
  if (blocks_.size() < max_kept_blocks) blocks_.push_back(std::move(block));
}

mux::link_ptr mux::find_link(ice::mux_peer peer) const {
  const auto found = links_.find(peer);
  return found == links_.end() ? nullptr : found->second.lock();
}

std::vector<mux::port_ptr> mux::ports() const {
  const std::lock_guard lock(mutex_);
  return ports_;
}

std::vector<mux::link_ptr> mux::links() const {
  std::vector<link_ptr> alive;
  const std::lock_guard lock(mutex_);
  for (const auto& [peer, link] : links_) {
    if (auto held = link.lock()) alive.push_back(std::move(held));
  }
  return alive;
}

void mux::tell_addresses() noexcept {
  for (const auto& link : links()) {
    if (link->note_addresses()) link->wake();
  }
}

void mux::follow_interfaces(const system_addresses& there) {
  if (!is_open()) return;
  bool changed = false;
  for (const auto& port : ports()) {
    const bool gone = std::none_of(there.all.begin(), there.all.end(), [&](const auto& each) {
      return each.address == port->address.local.address;
    });
    if (gone) release(port);
    changed = changed || gone;
  }
  for (const auto& local : select(there)) {
    const auto open = ports();
    const bool known = std::any_of(open.begin(), open.end(), [&](const port_ptr& port) {
      return port->address.local.address == local.address;
    });
    if (known || open.size() >= max_ports) continue;
    if (const auto opened = open_port(local); !opened) {
      options_.log(log_level::warning, [&] { return opened.error().detail; });
      continue;
    }
    changed = true;
  }
  if (!changed) return;
  update();  // listens on what is new
  tell_addresses();
}

}  // namespace asiortc::io
