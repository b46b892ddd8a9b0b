// A queue that owns no memory while it is empty: a table has several for each channel.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace asiortc::datachannel {

template <class T>
class fifo {
 public:
  [[nodiscard]] bool empty() const { return first_ == items_.size(); }
  [[nodiscard]] std::size_t size() const { return items_.size() - first_; }

  void push_back(T value) {
    // Half of the memory at most is spent on what was popped.
    if (first_ > items_.size() / 2) compact();
    items_.push_back(std::move(value));
  }

  T& front() { return items_[first_]; }
  T& back() { return items_.back(); }
  const T& front() const { return items_[first_]; }
  const T& back() const { return items_.back(); }

  T pop_front() {
    T value = std::move(items_[first_++]);
    if (empty()) clear();
    return value;
  }

  auto begin() { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() { return items_.end(); }
  auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
  auto end() const { return items_.end(); }

  void erase(typename std::vector<T>::iterator position) {
    items_.erase(position);
    if (empty()) clear();
  }

  void clear() {
    // What a burst took is given back; what a steady flow needs is kept.
    if (items_.capacity() > kept_items) std::vector<T>().swap(items_);
    items_.clear();
    first_ = 0;
  }

 private:
  static constexpr std::size_t kept_items = 64;

  void compact() {
    items_.erase(items_.begin(), begin());
    first_ = 0;
  }

  std::vector<T> items_;
  std::size_t first_ = 0;
};

}  // namespace asiortc::datachannel
