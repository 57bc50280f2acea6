#pragma once

#include <concepts>
#include <memory>
#include <utility>

namespace quicchat {

/// Owns one model of an interface, whichever it is. Takes the model itself or a `unique_ptr` of it;
/// never empty, but after a move.
template <class Interface>
class Owned {
public:
    template <std::derived_from<Interface> Model>
    /// Takes the model over; a null pointer is not allowed.
    /// @{
    Owned(Model model)  // NOLINT(google-explicit-constructor): a model is meant where it is wanted
        : object_(std::make_unique<Model>(std::move(model))) {}

    template <std::derived_from<Interface> Model>
    Owned(std::unique_ptr<Model> model)  // NOLINT(google-explicit-constructor)
        : object_(std::move(model)) {}
    /// @}

    /// The model. Not to be used after a move.
    /// @{
    Interface& operator*() { return *object_; }
    const Interface& operator*() const { return *object_; }
    Interface* operator->() { return object_.get(); }
    const Interface* operator->() const { return object_.get(); }
    /// @}

private:
    std::unique_ptr<Interface> object_;
};

}  // namespace quicchat
