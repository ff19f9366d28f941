/**
 * Password hashes of `rollcall-trial`, at the lowest cost, one of each kind that sites share. The
 * connector tries the same to find out what signs in (Rollcall_Passwords::SAMPLES).
 */
export const PHPASS = '$P$ASvogy9FJ/Rn7niZpJFdmGzCOl1ALQ/';
export const WP_BCRYPT = '$wp$2y$04$WtuXNvJs3rOLsuKJTKIyxOilHAqih5s6E/CK26CRZi3gFYke.a4vu';
export const BCRYPT = '$2y$04$iLwQ7EJuSKqSfh2gGS8usOsNlBC8VIUAOEVNnOVxW1QYaSVdJklda';
