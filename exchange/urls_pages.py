"""Pages of the exchange."""

from django.urls import path

from exchange.orders import pages as orders

urlpatterns = [
    path("orders", orders.orders, name="orders"),
    path("orders/new", orders.order_new, name="order_new"),
    path("orders/<ord:order_id>", orders.order, name="order"),
    path("orders/<ord:order_id>/raise", orders.order_raise, name="order_raise"),
    path("orders/<ord:order_id>/cancel", orders.order_cancel, name="order_cancel"),
]
