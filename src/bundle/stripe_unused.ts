/**
 * Stands in for the parts of Stripe's API that nothing here asks for, in the bundle alone (`[alias]` in wrangler.toml): its
 * library makes them all with every client, and they are half of it, for every start to compile. What is left is whole.
 */
class NotInBundle {}

export {
  NotInBundle as AccountResource,
  NotInBundle as Billing,
  NotInBundle as Climate,
  NotInBundle as CreditNoteResource,
  NotInBundle as CustomerResource,
  NotInBundle as FinancialConnections,
  NotInBundle as Identity,
  NotInBundle as InvoiceItemResource,
  NotInBundle as InvoiceResource,
  NotInBundle as Issuing,
  NotInBundle as OAuthResource,
  NotInBundle as PaymentLinkResource,
  NotInBundle as PaymentRecordResource,
  NotInBundle as PlanResource,
  NotInBundle as PriceResource,
  NotInBundle as ProductResource,
  NotInBundle as QuoteResource,
  NotInBundle as Radar,
  NotInBundle as StripeEventNotificationHandler,
  NotInBundle as SubscriptionItemResource,
  NotInBundle as SubscriptionResource,
  NotInBundle as SubscriptionScheduleResource,
  NotInBundle as Tax,
  NotInBundle as Terminal,
  NotInBundle as TestHelpers,
  NotInBundle as Treasury,
  NotInBundle as V2,
};
