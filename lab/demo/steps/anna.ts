/** The person of the demo. */
export const LOGIN = 'anna';
export const EMAIL = 'anna@people.test';
export const FIRST_PASSWORD = 'Anna’s first passw0rd';
export const SECOND_PASSWORD = 'Anna’s second passw0rd';
